/**
 * What the server asks about a text as it stands: gaps between text and outlines, shown quietly while writing, and
 * warnings, which the sign dialog shows. Each points at its place. Nothing here changes the text.
 */

import { isUnreachable, make, message, post, SignedOut } from "../dom.js";

const IDLE_MS = 1_200;

export class Checks {
  /** `place` shows the gaps. */
  constructor(url, editor, light, place) {
    Object.assign(this, { url, editor, light, place, asked: 0 });
    editor.addEventListener("text", () => this.#later());
    place.addEventListener("pointerleave", () => light.clear());
    this.#later();
  }

  /** `{warnings, gaps, not_checked}` of the text now; null when the server gives no answer. */
  async look() {
    try {
      const { status, body } = await post(this.url, this.editor.text());
      return status === 200 ? body : null;
    } catch (error) {
      if (error instanceof SignedOut || isUnreachable(error)) return null; // the line at the bottom tells of it
      throw error;
    }
  }

  /** Look once more: outlines may have changed. */
  async refresh() {
    this.asked += 1;
    const { asked } = this;
    const found = await this.look();
    if (found === null || asked !== this.asked) return;
    this.place.replaceChildren(...found.gaps.map((gap) => this.#gap(gap)));
  }

  /** A row for each warning; `leave` closes what is over the text. */
  rows(warnings, leave) {
    return warnings.map((warning) => {
      const row = make("li", "", warning.text);
      if (warning.place === null) return row;
      const show = make("button", "", message("show-place"));
      show.type = "button";
      show.addEventListener("click", () => {
        leave();
        this.goTo(warning);
      });
      row.append(" ", show);
      return row;
    });
  }

  /** Select the words a concern is about, and light the outlines. */
  goTo({ place, masks }) {
    if (place !== null) {
      const area = this.editor.areas[place.section];
      area.focus();
      area.setSelectionRange(units(area.value, place.start), units(area.value, place.end));
    }
    if (masks.length > 0) this.light.set({ masks });
  }

  #gap(gap) {
    const button = make("button", "gap", gap.text);
    button.type = "button";
    button.dataset.kind = gap.kind;
    button.addEventListener("pointerenter", () => this.light.set({ masks: gap.masks }));
    button.addEventListener("click", () => this.goTo(gap));
    return button;
  }

  #later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), IDLE_MS);
  }
}

/** The UTF-16 offset of a code point. */
function units(text, points) {
  let at = 0;
  for (const character of text) {
    if (points === 0) break;
    points -= 1;
    at += character.length;
  }
  return at;
}
