/** Notices in the corner: what is wrong, what is safe, what to do. Never blocks the page. */

import { make, message } from "./dom.js";

const SHOWN_FOR_MS = 12_000;

function place() {
  let box = document.getElementById("toasts");
  if (box === null) {
    box = make("div", "toasts");
    box.id = "toasts";
    box.setAttribute("role", "status");
    document.body.append(box);
  }
  return box;
}

/** Show one notice; the same text is not shown twice at once. */
export function toast(text, kind = "error") {
  const box = place();
  if ([...box.children].some((child) => child.dataset.text === text)) return;
  const notice = make("div", `toast ${kind}`);
  notice.dataset.text = text;
  const close = make("button", "quiet", "×");
  close.type = "button";
  close.setAttribute("aria-label", message("close"));
  close.addEventListener("click", () => notice.remove());
  notice.append(make("p", "", text), close);
  box.append(notice);
  if (kind !== "error") setTimeout(() => notice.remove(), SHOWN_FOR_MS);
}

/** Remove the notice with this text, when what it said is over. */
export function clearToast(text) {
  for (const child of [...place().children]) {
    if (child.dataset.text === text) child.remove();
  }
}

function listen() {
  const unreachable = () => toast(message("server-unreachable"));
  document.body.addEventListener("htmx:sendError", unreachable);
  document.body.addEventListener("htmx:timeout", unreachable);
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) clearToast(message("server-unreachable"));
  });
  document.body.addEventListener("refused", (event) => toast(event.detail.value));
  document.body.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 409 || status === 422 || event.detail.xhr.getResponseHeader("HX-Trigger")) return;
    toast(message(status === 401 || status === 403 ? "not-allowed" : "server-failed", { status }));
  });
}

listen();
