/**
 * Parts of a page that stay current: an element with `data-live="5"` asks for itself every five seconds while
 * the page is visible. It never asks while someone works inside it, and gives the focus back after a swap.
 */

const timers = new WeakMap();

function isBusy(element) {
  const active = document.activeElement;
  return element.contains(active) && active instanceof HTMLInputElement;
}

function watch(element) {
  if (timers.has(element)) return;
  const seconds = Number(element.dataset.live);
  const timer = setInterval(() => {
    if (!element.isConnected) clearInterval(timer);
    else if (document.visibilityState === "visible" && !isBusy(element)) {
      element.dispatchEvent(new CustomEvent("refresh"));
    }
  }, seconds * 1000);
  timers.set(element, timer);
}

function watchAll(root) {
  if (root instanceof HTMLElement && root.matches("[data-live]")) watch(root);
  for (const element of root.querySelectorAll("[data-live]")) watch(element);
}

const FOCUSABLE = "a[href], button, input, select, textarea, [tabindex]";
const shown = new Map(); // the last answer of each part, by its id
let focused = null;

/** Where the focus is inside a part: by id, or as the how-manieth of its kind. */
function placeOf(target) {
  const active = document.activeElement;
  if (!target.contains(active)) return null;
  return { id: active.id, host: target.id, at: [...target.querySelectorAll(FOCUSABLE)].indexOf(active) };
}

function restore({ id, host, at }) {
  const named = id === "" ? null : document.getElementById(id);
  return named ?? document.getElementById(host)?.querySelectorAll(FOCUSABLE)[at] ?? null;
}

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse } = event.detail;
  // What did not change is not put in again: focus, light and a screen reader's place stay where they are.
  const isRefresh = event.detail.requestConfig.triggeringEvent?.type === "refresh";
  if (isRefresh && shown.get(target.id) === serverResponse) {
    event.detail.shouldSwap = false;
    return;
  }
  if (target.id) shown.set(target.id, serverResponse);
  focused = placeOf(target);
});
document.body.addEventListener("htmx:afterSettle", () => {
  if (focused !== null) {
    const element = restore(focused);
    if (element !== document.activeElement) element?.focus({ preventScroll: true });
  }
  focused = null;
  watchAll(document.body);
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  for (const element of document.querySelectorAll("[data-live]")) element.dispatchEvent(new CustomEvent("refresh"));
});
watchAll(document.body);
