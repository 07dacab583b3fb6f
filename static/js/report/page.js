/** Draft and report on the reading page: sentences that light their evidence, the editor, lock and signature. */

import { message, readJson } from "../dom.js";
import { bind } from "../keyboard.js";
import { Checks } from "./checks.js";
import { Editor } from "./editor.js";
import { Lock } from "./lock.js";
import { Mirror } from "./marks.js";

const SECTIONS = ["findings", "impression"];

/** Connect what the page holds; parts that are absent (a signed report has no editor) are left alone. */
export function connectReport(page, light) {
  const draft = new DraftPanel(light);
  const form = document.getElementById("report-editor");
  const writing = form === null ? null : new Writing(form, page, draft, light);
  draft.onread = () => writing?.mark();
  draft.oninsert = (sentence) => writing?.editor.insert(sentence.section, sentence.text);
  draft.onuse = () => writing?.useDraft();
  draft.ontemplate = () => writing?.useTemplate();
  draft.onjudge = (act) => writing?.judging().then(act);
  draft.read();
  if (form === null) {
    import("./addendum.js").then(({ connectAddendum, offerLeftover }) => {
      connectAddendum(page.report);
      offerLeftover(page.report);
    });
  }
  return {
    readDraft: () => draft.read(),
    outlinesChanged: () => writing?.checks.refresh(),
    sentencesOn: (mask) => draft.sentencesOn(mask),
    scrollTo: (id) => draft.scrollTo(id),
  };
}

class DraftPanel {
  constructor(light) {
    this.light = light;
    this.sentences = [];
    this.place = document.getElementById("draft-place");
    light.addEventListener("change", () => this.#mark());
    this.place?.addEventListener("pointerover", (event) => this.#over(event));
    this.place?.addEventListener("pointerleave", () => light.clear());
    this.place?.addEventListener("focusin", (event) => this.#over(event));
    this.place?.addEventListener("focusout", () => light.clear());
    this.place?.addEventListener("click", (event) => this.#click(event));
    this.place?.addEventListener("change", ({ target }) => {
      if (target.name === "reason") this.onjudge((it) => it.give(target.closest("[data-sentence]"), target.value));
    });
    this.place?.addEventListener("keydown", (event) => this.#key(event));
  }

  onread = () => {};
  oninsert = () => {};
  onuse = () => {};
  ontemplate = () => {};
  onjudge = () => {};

  /** Take the sentences of the panel as it is now. */
  read() {
    this.sentences = readJson("draft-sentences", []);
    this.onread();
  }

  find(id) {
    return this.sentences.find((sentence) => String(sentence.id) === String(id));
  }

  sentencesOn(mask) {
    return this.sentences.filter((sentence) => sentence.masks.includes(mask)).map((sentence) => String(sentence.id));
  }

  /** Light a sentence and its evidence, or nothing. */
  lightSentence(id) {
    const sentence = id === null ? undefined : this.find(id);
    if (sentence === undefined) this.light.clear();
    else this.light.set({ sentences: [String(sentence.id)], masks: sentence.masks });
  }

  scrollTo(id) {
    this.#element(id)?.scrollIntoView({ block: "nearest" });
  }

  /** Say for each sentence what became of it in the report. */
  tell(parts) {
    const states = new Map(parts.map((part) => [String(part.id), part.state]));
    for (const element of this.place?.querySelectorAll("[data-sentence]") ?? []) {
      const state = states.get(element.dataset.sentence) ?? "left-out";
      element.dataset.state = state;
      element.querySelector(".fate").textContent = message(`sentence-${state}`);
      const insert = element.querySelector("[data-insert]");
      if (insert !== null) insert.hidden = state !== "left-out";
    }
  }

  #element(id) {
    return id === undefined ? null : this.place?.querySelector(`[data-sentence="${id}"]`);
  }

  #over(event) {
    const element = event.target.closest("[data-sentence]");
    if (element !== null) this.lightSentence(element.dataset.sentence);
  }

  #click(event) {
    const insert = event.target.closest("[data-insert]");
    if (insert !== null) this.oninsert(this.find(insert.closest("[data-sentence]").dataset.sentence));
    if (event.target.closest("[data-judge]") !== null) this.onjudge((it) => it.click(event.target));
    if (event.target.closest("[data-use-draft]") !== null) this.onuse();
    if (event.target.closest("[data-use-template]") !== null) this.ontemplate();
  }

  /** Keys of a sentence that has the focus; they are nobody else's, also while the script that knows them comes. */
  #key(event) {
    if (!event.target.matches("[data-sentence]") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!/^([0-8]|Enter|F2|Delete)$/.test(event.key)) return;
    event.preventDefault();
    const { target, key } = event;
    this.onjudge((it) => it.key(target, key));
  }

  #mark() {
    for (const element of this.place?.querySelectorAll("[data-sentence]") ?? []) {
      element.classList.toggle("lit", this.light.sentences.has(element.dataset.sentence));
    }
  }
}

class Writing {
  constructor(form, page, draft, light) {
    this.draft = draft;
    this.language = page.report.language;
    this.template = page.report.template;
    this.judgeUrl = page.report.judge_url;
    this.editor = new Editor(form, page.report);
    this.seen = new Map(page.report.origin.map((sentence) => [sentence.id, sentence]));
    this.mirrors = Object.fromEntries(
      SECTIONS.map((name) => [name, new Mirror(this.editor.areas[name], page.report.language)]),
    );
    this.#connectLight(light);
    this.editor.addEventListener("text", () => this.mark());
    this.editor.addEventListener("conflict", (event) => this.#compare(event.detail));
    this.editor.addEventListener("signed", () => this.#end());
    this.editor.addEventListener("locked", (event) => this.lock.told({ mine: false, ...event.detail }));
    this.editor.addEventListener("saved", (event) => {
      if (event.detail.isFirst) document.getElementById("report-state")?.dispatchEvent(new Event("refresh"));
    });
    this.#connectLock(page);
    this.#showKept(page);
    this.checks = new Checks(page.report.check_url, this.editor, light, document.getElementById("gaps"));
    this.#connectSigning();
    this.#connectMacros(page.report.macros);
    bind("e", () => this.editor.areas.findings.focus());
  }

  /** Mark what is the model's in both sections and tell the draft panel. */
  mark() {
    for (const sentence of this.draft.sentences) this.seen.set(sentence.id, sentence);
    // Text that came from an earlier draft is the model's still: the newest draft's sentences come first.
    const earlier = [...this.seen.values()].filter((sentence) => this.draft.find(sentence.id) === undefined);
    const parts = SECTIONS.flatMap((name) => {
      const sentences = [...this.draft.sentences, ...earlier].filter((sentence) => sentence.section === name);
      return this.mirrors[name].mark(sentences);
    });
    this.draft.tell(parts);
    document.querySelector(".legend").hidden = this.seen.size === 0;
    const written = SECTIONS.some((name) => this.editor.areas[name].value.trim() !== "");
    for (const offer of this.draft.place?.querySelectorAll("[data-use-draft], [data-use-template]") ?? []) {
      offer.hidden = written;
    }
  }

  /** Put the whole draft into an empty report. */
  useDraft() {
    if (this.editor.isReadOnly) return;
    const gap = this.language === "ja" ? "" : " ";
    const text = Object.fromEntries(SECTIONS.map((name) => [
      name, this.draft.sentences.filter((sentence) => sentence.section === name).map((s) => s.text).join(gap),
    ]));
    this.editor.setText(text);
    this.editor.areas.findings.focus();
  }

  /** Put the headings of the empty template into an empty report, and the caret behind the first. */
  useTemplate() {
    if (this.editor.isReadOnly) return;
    this.editor.setText(this.template);
    const { findings } = this.editor.areas;
    const firstLine = findings.value.indexOf("\n");
    findings.focus();
    findings.setSelectionRange(firstLine, firstLine);
  }

  /** Judging sentences: its script comes with the first decision. */
  async judging() {
    const { Judging } = await import("./judging.js");
    this.judge ??= new Judging(this.judgeUrl, this.draft, this.editor, this.mirrors);
    return this.judge;
  }

  /** Macros and fields: their script comes with the first look at the text. */
  #connectMacros(texts) {
    let macros = null;
    for (const area of Object.values(this.editor.areas)) {
      area.addEventListener("focus", async () => {
        if (macros !== null) return;
        const { Macros } = await import("./macros.js");
        macros ??= new Macros(texts);
      });
      area.addEventListener("keydown", (event) => macros?.key(event));
    }
  }

  #connectLight(light) {
    light.addEventListener("change", () => {
      for (const mirror of Object.values(this.mirrors)) mirror.light(light.sentences);
    });
    for (const mirror of Object.values(this.mirrors)) {
      const { area } = mirror;
      const show = () => this.draft.lightSentence(mirror.atCaret());
      area.addEventListener("keyup", show);
      area.addEventListener("click", show);
      area.addEventListener("blur", () => light.clear());
      area.addEventListener("pointermove", (event) => {
        this.draft.lightSentence(mirror.atPoint(event.clientX, event.clientY));
      });
      area.addEventListener("pointerleave", () => light.clear());
    }
  }

  #connectLock(page) {
    this.lock = new Lock(page.report.lock_url, page.report.lock, () => this.editor.basedOn);
    this.lock.addEventListener("newer", (event) => this.editor.meet(event.detail));
    const apply = () => {
      this.editor.setReadOnly(this.lock.isForeign);
      if (!this.lock.isForeign) this.editor.resume();
    };
    this.lock.addEventListener("change", apply);
    apply();
    for (const area of Object.values(this.editor.areas)) {
      area.addEventListener("focus", () => this.lock.hold());
    }
  }

  #showKept(page) {
    if (this.editor.restoredAt === undefined) return;
    const server = { findings: page.report.findings, impression: page.report.impression };
    if (this.editor.state === "conflict") {
      const theirs = { ...server, revision: page.report.revision, sha256: page.report.sha256, author: page.report.author, saved_at: page.report.saved_at };
      this.#compare({ theirs });
    } else {
      import("./conflict.js").then(({ showRestored }) => showRestored(this.editor, server));
    }
  }

  async #compare(found) {
    const { showConflict } = await import("./conflict.js"); // seldom
    showConflict(this.editor, found);
  }

  #connectSigning() {
    const dialog = document.getElementById("sign-dialog");
    if (dialog === null) return;
    const form = dialog.querySelector("form");
    let prepared = null; // its script comes when somebody signs
    const open = () => {
      if (dialog.open) return;
      form.elements.password.value = "";
      dialog.setAttribute("aria-busy", "true");
      dialog.showModal(); // before anything is awaited: what is typed next is the password, and no part of the text
      form.elements.password.focus();
      prepared = import("./sign.js").then(({ prepare }) => prepare(dialog, this.editor, this.checks));
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const hasSeen = dialog.getAttribute("aria-busy") === "false";
      (await prepared)?.sign({ hasSeen });
    });
    document.getElementById("sign").addEventListener("click", open);
    bind("ctrl+enter", open);
  }

  async #end() {
    this.lock.stop();
    this.editor.setReadOnly(true);
    for (const name of ["sign", "show-conflict"]) document.getElementById(name)?.toggleAttribute("disabled", true);
    const { showLeftover } = await import("./addendum.js");
    showLeftover(document.getElementById("restored"), this.editor.isDirty() ? this.editor.text() : null);
  }
}
