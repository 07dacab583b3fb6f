/** Small helpers shared by every page: reading what the server left in the page, and telling it things. */

/** The parsed content of a `json_script` element, or `fallback` where the page has none. */
export function readJson(id, fallback = null) {
  const element = document.getElementById(id);
  return element === null ? fallback : JSON.parse(element.textContent);
}

const messages = readJson("messages", {});

/** A translated message by key, with `{name}` places filled in. An unknown key shows itself. */
export function message(key, values = {}) {
  const template = messages[key] ?? key;
  return template.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

function cookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found === undefined ? "" : decodeURIComponent(found.slice(name.length + 1));
}

/** The CSRF token. The cookie comes first: signing in again in another tab renews it there. */
export function csrfToken() {
  return cookie("csrftoken") || document.body.dataset.csrf || "";
}

/** Thrown by `post` when the server wants a sign-in first. */
export class SignedOut extends Error {}

/**
 * POST JSON or a form and return `{status, body}`; `body` is parsed JSON or null.
 * A redirect means that the session has ended. Network failures reject as fetch does.
 */
export async function post(url, data, { signal, headers = {} } = {}) {
  const isForm = data instanceof FormData;
  const response = await fetch(url, {
    method: "POST",
    body: isForm ? data : JSON.stringify(data),
    headers: {
      Accept: "application/json",
      "X-CSRFToken": csrfToken(),
      ...(isForm ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    credentials: "same-origin",
    redirect: "manual",
    signal,
  });
  if (response.type === "opaqueredirect" || response.status === 401) {
    throw new SignedOut();
  }
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  return { status: response.status, body: isJson ? await response.json() : null };
}

/** Whether a request failed because no answer came: no network, no server, or none in time. */
export function isUnreachable(error) {
  return error instanceof TypeError || error.name === "TimeoutError";
}

/** A new element with classes and text. */
export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** `hh:mm:ss` in the reader's own zone, as the page's language writes it. */
export function clock(moment) {
  return new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" }).format(moment);
}

/**
 * After a modal dialog Chromium gives the focus back to the text, but not the caret, of which it then says that it is
 * at the start: keys go nowhere until somebody clicks. Going in again puts the caret where it was.
 */
export function giveBackTheCaret() {
  const area = document.activeElement;
  if (!(area instanceof HTMLTextAreaElement)) return;
  area.blur();
  area.focus({ preventScroll: true });
}
