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

let focused = null;

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const active = document.activeElement;
  focused = event.detail.target.contains(active) ? (active.id || null) : null;
});
document.body.addEventListener("htmx:afterSettle", () => {
  if (focused !== null && document.activeElement?.id !== focused) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
  focused = null;
  watchAll(document.body);
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  for (const element of document.querySelectorAll("[data-live]")) element.dispatchEvent(new CustomEvent("refresh"));
});
watchAll(document.body);
