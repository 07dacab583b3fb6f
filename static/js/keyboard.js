/**
 * Single keys for the reading room. They never fire while someone types or composes with an input method,
 * and nothing that destroys is bound to one key.
 */

const bindings = new Map();

/** Whether the event belongs to someone typing. */
export function isTyping(event) {
  const target = event.target;
  if (event.isComposing || event.keyCode === 229) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) {
    return true;
  }
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range", "submit"].includes(target.type);
}

/**
 * Bind a key to `press` (and `release`). `key` is KeyboardEvent.key in lower case, or "ctrl+enter" for a chord;
 * chords work while typing too, single keys do not. Where `when` says no, the key is not ours.
 */
export function bind(key, press, release = null, when = () => true) {
  bindings.set(key, { press, release, when });
}

function nameOf(event) {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) return `ctrl+${key}`;
  return event.shiftKey && key.startsWith("arrow") ? `shift+${key}` : key;
}

function dispatch(event, phase) {
  const name = nameOf(event);
  const binding = bindings.get(name);
  if (binding === undefined || event.altKey || event.defaultPrevented) return;
  if (event.isComposing || (!name.startsWith("ctrl+") && isTyping(event))) return;
  if (document.querySelector("dialog[open]") !== null && name !== "?") return;
  if (!binding.when(event)) return;
  const act = binding[phase];
  if (act === null || (phase === "press" && event.repeat && binding.release !== null)) return;
  event.preventDefault();
  act(event);
}

/** Open or close the sheet of keys of this page. */
function toggleSheet() {
  const sheet = document.getElementById("key-sheet");
  if (sheet === null) return;
  if (sheet.open) sheet.close();
  else sheet.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isTyping(event) && !event.isComposing) {
    event.preventDefault(); // a search field would empty itself
    event.target.blur();
    return;
  }
  dispatch(event, "press");
});
document.addEventListener("keyup", (event) => dispatch(event, "release"));
bind("?", toggleSheet);
for (const button of document.querySelectorAll("[data-open-keys]")) {
  button.addEventListener("click", toggleSheet);
}
