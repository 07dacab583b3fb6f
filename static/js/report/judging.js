/**
 * Accepting, editing and rejecting a draft's sentences one by one, by button or by key while one has the focus. The
 * text changes as if it were typed, so that the browser's own undo takes it back.
 */

import { message, post, SignedOut, isUnreachable } from "../dom.js";
import { toast } from "../errors.js";

export class Judging {
  /** `url` takes the decisions; `mirrors` know where the sentences stand in the text. */
  constructor(url, draft, editor, mirrors) {
    Object.assign(this, { url, draft, editor, mirrors });
  }

  /** A click on one of a sentence's three buttons. */
  click(target) {
    this.decide(target.closest("[data-sentence]"), target.closest("[data-judge]").dataset.judge);
  }

  /** A key while a sentence has the focus: Enter accepts, F2 edits, Delete rejects, a digit names the reason. */
  key(element, key) {
    const decision = { Enter: "accepted", F2: "edited", Delete: "rejected" }[key];
    if (decision !== undefined) this.decide(element, decision);
    else this.give(element, element.querySelectorAll("[name=reason] option")[Number(key)].value);
  }

  decide(element, decision) {
    if (this.editor.isReadOnly) return;
    const sentence = this.draft.find(element.dataset.sentence);
    const part = this.#part(sentence);
    if (decision === "accepted" && part === undefined) this.editor.insert(sentence.section, sentence.text);
    if (decision === "edited") this.#select(sentence, part);
    if (decision === "rejected" && part !== undefined) this.#strike(sentence, part);
    if (decision !== "edited") element.focus();
    this.#tell(element, decision, null);
  }

  /** Name the reason of what was decided; a sentence not yet decided on is rejected for it. */
  give(element, reason) {
    if (this.editor.isReadOnly) return;
    const { judged } = element.dataset;
    if (judged === "edited" || judged === "rejected") {
      this.#tell(element, judged, reason);
      return;
    }
    const sentence = this.draft.find(element.dataset.sentence);
    const part = this.#part(sentence);
    if (part?.state === "edited") {
      this.#tell(element, "edited", reason);
      return;
    }
    if (part !== undefined) this.#strike(sentence, part);
    element.focus();
    this.#tell(element, "rejected", reason);
  }

  #part(sentence) {
    return this.mirrors[sentence.section].parts.find((part) => String(part.id) === String(sentence.id));
  }

  #select(sentence, part) {
    if (part === undefined) this.editor.insert(sentence.section, sentence.text);
    const area = this.editor.areas[sentence.section];
    const at = part ?? { start: area.value.length - sentence.text.length, end: area.value.length };
    area.focus();
    area.setSelectionRange(at.start, at.end);
  }

  #strike(sentence, part) {
    const area = this.editor.areas[sentence.section];
    const blank = /[ \u3000]/.test(area.value[part.end] ?? "") ? 1 : 0;
    area.focus();
    area.setSelectionRange(part.start, part.end + blank);
    document.execCommand("delete"); // unlike setRangeText it can be undone
  }

  async #tell(element, decision, reason) {
    const sentence = this.draft.find(element.dataset.sentence);
    const part = this.#part(sentence);
    const area = this.editor.areas[sentence.section];
    const written = part === undefined || decision === "rejected" ? "" : area.value.slice(part.start, part.end);
    element.dataset.judged = decision;
    showJudged(element, decision, reason ?? "");
    try {
      const { status, body } = await post(this.url, { sentence: sentence.id, decision, reason, written });
      if (status === 200) showJudged(element, body.decision, body.reason);
      else toast(body?.message ?? message("judge-failed"));
    } catch (error) {
      if (!(error instanceof SignedOut) && !isUnreachable(error)) throw error;
      toast(message("judge-failed"));
    }
  }
}

/** Show on a sentence of the panel what was decided. */
export function showJudged(element, decision, reason) {
  element.dataset.judged = decision;
  for (const button of element.querySelectorAll("[data-judge]")) {
    button.setAttribute("aria-pressed", String(button.dataset.judge === decision));
  }
  const list = element.querySelector("[name=reason]");
  list.hidden = decision === "accepted" || decision === "";
  list.value = reason;
}
