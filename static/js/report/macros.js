/**
 * Macros and fields of the report. `.name` and a blank or Tab becomes the text of that name; Tab and Shift+Tab go to
 * the fields `[ ]` and `[a|b]`, and a digit chooses in the latter. Everything is put in as if typed, so that the
 * browser's own undo takes it back.
 */

const FIELD = /\[[ \u3000_]*\]|\[[^[\]\n]*\|[^[\]\n]*\]|［[ \u3000_]*］|【[ \u3000_]*】/g;
const CALLED = /(^|[\s。、（(])[.．]([\p{L}\p{N}_-]{1,32})$/u;

export class Macros {
  /** `texts`: the text of each macro by its name. */
  constructor(texts) {
    this.texts = new Map(Object.entries(texts));
  }

  /** A key in a text area; what is not ours is left alone. */
  key(event) {
    const area = event.target;
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || area.readOnly) return;
    const isOurs = event.key === "Tab" ? (!event.shiftKey && this.#expand(area)) || step(area, event.shiftKey)
      : event.key === " " ? this.#expand(area)
        : choose(area, event.key);
    if (isOurs) event.preventDefault();
  }

  #expand(area) {
    if (area.selectionStart !== area.selectionEnd) return false;
    const called = CALLED.exec(area.value.slice(0, area.selectionStart));
    const text = called === null ? undefined : this.texts.get(called[2]);
    if (text === undefined) return false;
    const start = area.selectionStart - called[2].length - 1;
    area.setSelectionRange(start, area.selectionStart);
    document.execCommand("insertText", false, text);
    const [first] = text.matchAll(FIELD);
    if (first !== undefined) area.setSelectionRange(start + first.index, start + first.index + first[0].length);
    return true;
  }
}

/** Select the next field, or the one before; whether there is one. At the last, Tab leaves the area as ever. */
function step(area, isBack) {
  const fields = [...area.value.matchAll(FIELD)].map((field) => [field.index, field.index + field[0].length]);
  const next = isBack
    ? fields.findLast(([, end]) => end <= area.selectionStart)
    : fields.find(([start]) => start >= (area.selectionStart === area.selectionEnd ? area.selectionStart : area.selectionEnd));
  if (next === undefined) return false;
  area.setSelectionRange(...next);
  return true;
}

/** A digit on a selected `[a|b]` puts that choice in its place. */
function choose(area, key) {
  const selected = area.value.slice(area.selectionStart, area.selectionEnd);
  if (!/^[1-9]$/.test(key) || !/^\[[^[\]\n]*\|[^[\]\n]*\]$/.test(selected)) return false;
  const choice = selected.slice(1, -1).split("|")[Number(key) - 1];
  if (choice === undefined) return false;
  document.execCommand("insertText", false, choice.trim().replace(/\*$/, ""));
  return true;
}
