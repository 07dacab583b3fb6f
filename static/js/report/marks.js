/**
 * Which parts of the text are the model's: a mirror behind each text area marks sentences that still equal a
 * draft sentence (unconfirmed AI text) and those edited from one. The text area itself stays a plain text area.
 */

import { make } from "../dom.js";
import { likeness, sentences } from "./text.js";

const LIKE = 0.55;

/** Stretches of `text` that come from `drafts` (`{id, text}`): `{start, end, id, state: "kept" | "edited"}`, in order. */
export function match(text, drafts, language) {
  const found = [];
  const taken = new Set();
  for (const draft of drafts) {
    const start = place(text, draft.text, found);
    if (start === -1) continue;
    found.push({ start, end: start + draft.text.length, id: draft.id, state: "kept" });
    taken.add(draft.id);
  }
  const rest = drafts.filter((draft) => !taken.has(draft.id));
  for (const sentence of sentences(text, language)) {
    if (rest.length === 0) break;
    if (found.some((part) => part.start < sentence.end && sentence.start < part.end)) continue;
    const scored = rest.map((draft) => ({ draft, score: likeness(sentence.text, draft.text) }));
    const best = scored.reduce((a, b) => (b.score > a.score ? b : a));
    if (best.score < LIKE) continue;
    found.push({ start: sentence.start, end: sentence.end, id: best.draft.id, state: "edited" });
    rest.splice(rest.indexOf(best.draft), 1);
  }
  return found.sort((a, b) => a.start - b.start);
}

function place(text, wanted, found) {
  let start = text.indexOf(wanted);
  while (start !== -1) {
    const from = start;
    const isFree = !found.some((part) => part.start < from + wanted.length && from < part.end);
    if (isFree && isWhole(text, from, from + wanted.length)) return from;
    start = text.indexOf(wanted, from + 1);
  }
  return -1;
}

/** Whether the stretch is a sentence of its own: "No effusion." inside "No effusion. on the left" still is. */
function isWhole(text, start, end) {
  const before = text.slice(0, start).trimEnd().slice(-1);
  return (before === "" || /[.!?:;。！？：；、,\n]/.test(before) || text[start - 1] === "\n") && !/^[\p{L}\p{N}]/u.test(text.slice(end, end + 1));
}

export class Mirror {
  constructor(area, language) {
    this.area = area;
    this.language = language;
    this.back = area.parentElement.querySelector(".mirror");
    this.parts = [];
    area.addEventListener("scroll", () => this.#follow());
    new ResizeObserver(() => this.#follow()).observe(area);
  }

  /** Mark the text anew; returns the stretches. */
  mark(drafts) {
    const text = this.area.value;
    this.parts = match(text, drafts, this.language);
    const nodes = [];
    let at = 0;
    for (const part of this.parts) {
      nodes.push(text.slice(at, part.start));
      const span = make("mark", part.state, text.slice(part.start, part.end));
      span.dataset.sentence = part.id;
      nodes.push(span);
      at = part.end;
    }
    nodes.push(`${text.slice(at)}\n`);
    this.back.replaceChildren(...nodes);
    this.#follow();
    return this.parts;
  }

  /** The draft sentence at the caret, or null. */
  atCaret() {
    const caret = this.area.selectionStart;
    return this.parts.find((part) => part.start <= caret && caret <= part.end)?.id ?? null;
  }

  /** The draft sentence under a point of the page, or null. */
  atPoint(x, y) {
    for (const span of this.back.querySelectorAll("mark")) {
      for (const box of span.getClientRects()) {
        if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) return span.dataset.sentence;
      }
    }
    return null;
  }

  /** Show which sentence is lit. */
  light(ids) {
    for (const span of this.back.querySelectorAll("mark")) {
      span.classList.toggle("lit", ids.has(span.dataset.sentence));
    }
  }

  #follow() {
    this.back.scrollTop = this.area.scrollTop;
  }
}
