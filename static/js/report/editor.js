/**
 * The report being written: autosave that says "saved" only when the server returned the number and the hash of
 * exactly what is in the editor; a journal in this browser until then; conflicts shown as both texts.
 */

import { clock, csrfToken, isUnreachable, message, post, SignedOut } from "../dom.js";
import { Journal } from "./journal.js";
import { digest, normalise } from "./text.js";

const IDLE_MS = 1_500;
const ANSWER_MS = 12_000;
/** In the journal: a text that was put aside for another, and stands on no revision. */
const NO_BASE = -1;
const RETRY_MS = [2_000, 5_000, 10_000, 20_000];

const same = (a, b) => a.findings === b.findings && a.impression === b.impression;

export class Editor extends EventTarget {
  /** `config`: save_url, sign_in_url, user, study, revision, findings, impression, saved_at. */
  constructor(form, config) {
    super();
    this.form = form;
    this.config = config;
    this.areas = { findings: form.elements.findings, impression: form.elements.impression };
    this.status = document.getElementById("save-status");
    this.basedOn = config.revision;
    this.sha256 = config.sha256;
    this.saved = { findings: config.findings, impression: config.impression };
    this.journal = new Journal(config.user, config.study);
    this.failures = 0;
    this.state = "saved";
    this.#listen();
    this.#restore();
  }

  /** The text now, normalised as the server keeps it. */
  text() {
    return { findings: normalise(this.areas.findings.value), impression: normalise(this.areas.impression.value) };
  }

  isDirty() {
    return !same(this.text(), this.saved);
  }

  setReadOnly(isReadOnly) {
    for (const area of Object.values(this.areas)) area.readOnly = isReadOnly;
  }

  /** Replace the text of the editor, as if typed. */
  setText(text) {
    for (const [name, area] of Object.entries(this.areas)) area.value = text[name];
    this.#typed();
  }

  /** Somebody else writes, or it is signed: nothing may be put into the text. */
  get isReadOnly() {
    return this.areas.findings.readOnly;
  }

  /** Append a sentence to a section, as if typed. */
  insert(section, sentence) {
    if (this.isReadOnly) return;
    const area = this.areas[section];
    const gap = area.value === "" || /\s$/.test(area.value) ? "" : " ";
    area.setRangeText(gap + sentence, area.value.length, area.value.length, "end");
    area.focus();
    this.#typed();
  }

  /** Save now if there is anything to save; resolves to whether the server has exactly this text. */
  async flush({ evenIfClean = false } = {}) {
    clearTimeout(this.timer);
    while (this.saving) await this.saving;
    if (this.isDirty() || (evenIfClean && this.basedOn === 0)) {
      this.saving = this.#save().finally(() => { this.saving = null; });
      await this.saving;
    }
    return this.state === "saved" && !this.isDirty() && this.basedOn > 0;
  }

  #listen() {
    for (const area of Object.values(this.areas)) {
      area.addEventListener("input", (event) => { if (!event.isComposing) this.#typed(); });
      area.addEventListener("compositionend", () => this.#typed());
      area.addEventListener("blur", () => { if (this.isDirty()) this.flush(); });
    }
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.flush({ evenIfClean: true });
    });
    addEventListener("pagehide", () => this.#saveOnLeaving());
    addEventListener("beforeunload", (event) => {
      if (this.isDirty()) event.preventDefault();
    });
    addEventListener("online", () => { if (this.isDirty()) this.flush(); });
  }

  #typed() {
    this.dispatchEvent(new Event("text"));
    if (!this.isDirty()) {
      this.#settleIfClean();
      return;
    }
    const isKept = this.journal.write({ ...this.text(), based_on: this.basedOn });
    if (this.state === "conflict") return;
    if (this.state === "saved") this.#say("unsaved", message(isKept ? "unsaved" : "unsaved-unkept"));
    this.#later(IDLE_MS);
  }

  /** The text is again what the server has: nothing is unsaved any more, whatever went wrong before. */
  #settleIfClean() {
    if (this.isDirty() || this.state === "conflict" || this.state === "signed") return;
    clearTimeout(this.timer);
    this.failures = 0;
    this.journal.clear();
    this.#savedStatus();
  }

  #later(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), ms);
  }

  async #save() {
    if (this.state === "conflict" || this.state === "signed") return;
    const sent = this.text();
    if (this.state === "saved" || this.state === "unsaved") this.#say("saving", message("saving"));
    try {
      const { status, body } = await post(this.config.save_url, { based_on: this.basedOn, draft_id: draftOnScreen(), ...sent }, {
        headers: { "X-Review-User": String(this.config.user) },
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      await this.#answered(status, body, sent);
    } catch (error) {
      if (error instanceof SignedOut) this.#expired();
      else if (isUnreachable(error)) this.#unreachable();
      else throw error;
    }
    if (this.state !== "saved") this.#settleIfClean(); // taken back meanwhile
  }

  async #answered(status, body, sent) {
    if (status === 200 && body !== null) {
      if (body.sha256 === await digest(sent)) this.#accepted(body, sent);
      else this.#say("failed", message("saved-other"));
    } else {
      this.refused(status, body);
    }
  }

  /** What a save or a signature was refused for: shown as what it is, with a way on. */
  refused(status, body) {
    if (status === 409 && body?.code === "revision-conflict") {
      this.#conflict(body.errors.current);
    } else if (status === 409 && body?.code === "report-signed") {
      this.#say("signed", body.message);
      this.dispatchEvent(new Event("signed"));
    } else if (status === 423) {
      this.#say("locked", `${body.message} ${message("kept-here")}`);
      this.dispatchEvent(new CustomEvent("locked", { detail: body.errors.lock }));
    } else if (status === 403 && body?.code !== "not-allowed") {
      this.#expired();
    } else if (body?.message && status < 500) {
      this.#say("failed", `${message("not-saved")} ${body.message} ${message("kept-here")}`);
    } else {
      this.#unreachable();
    }
  }

  #accepted(body, sent) {
    const isFirst = this.basedOn === 0;
    this.basedOn = body.revision;
    this.sha256 = body.sha256;
    this.saved = sent;
    this.failures = 0;
    this.savedAt = body.saved_at;
    this.dispatchEvent(new CustomEvent("saved", { detail: { ...body, isFirst } }));
    if (this.isDirty()) {
      this.journal.write({ ...this.text(), based_on: this.basedOn });
      this.#say("unsaved", message("unsaved"));
      this.#later(IDLE_MS);
    } else {
      this.journal.clear();
      this.#savedStatus();
    }
  }

  #savedStatus() {
    const at = this.savedAt ?? this.config.saved_at;
    const text = this.basedOn === 0
      ? message("nothing-saved")
      : message("saved", { revision: this.basedOn, time: clock(new Date(at)) });
    this.#say("saved", text);
  }

  #unreachable() {
    this.#say("failed", message("not-saved-unreachable"));
    this.#retry();
  }

  #expired() {
    this.#say("expired", message("expired"));
    const link = document.createElement("a");
    link.href = this.config.sign_in_url;
    link.target = "_blank";
    link.textContent = message("sign-in-again");
    this.status.append(" ", link);
    this.#retry();
  }

  #retry() {
    this.#later(RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]);
    this.failures += 1;
  }

  #saveOnLeaving() {
    if (!this.isDirty() || this.state === "conflict" || this.state === "signed") return;
    this.journal.write({ ...this.text(), based_on: this.basedOn });
    fetch(this.config.save_url, {
      method: "POST",
      keepalive: true,
      redirect: "manual",
      headers: {
        Accept: "application/json",
        "Content-Type": "application/json",
        "X-CSRFToken": csrfToken(),
        "X-Review-User": String(this.config.user),
      },
      body: JSON.stringify({ based_on: this.basedOn, draft_id: draftOnScreen(), ...this.text() }),
    }).catch(() => {});
  }

  #conflict(theirs) {
    clearTimeout(this.timer);
    this.#say("conflict", message("conflict"));
    if (this.isDirty()) this.journal.write({ ...this.text(), based_on: this.basedOn });
    this.dispatchEvent(new CustomEvent("conflict", { detail: { theirs } }));
  }

  /** A newer text of somebody else: taken where nothing is unsaved here, shown beside ours where something is. */
  meet(theirs) {
    if (theirs.revision <= this.basedOn || this.saving || this.state === "signed") return;
    if (this.state === "conflict" || this.isDirty()) this.#conflict(theirs);
    else this.#adopt(theirs);
  }

  #adopt(theirs) {
    this.basedOn = theirs.revision;
    this.sha256 = theirs.sha256;
    this.saved = { findings: normalise(theirs.findings), impression: normalise(theirs.impression) };
    this.savedAt = theirs.saved_at;
    this.state = "unsaved";
    this.setText(this.saved);
    this.#savedStatus();
  }

  /** Settle a conflict: the person's text wins and is saved on top of the other, which stays in the history. */
  keepMine(theirs) {
    this.basedOn = theirs.revision;
    this.saved = { findings: theirs.findings, impression: theirs.impression };
    this.savedAt = theirs.saved_at;
    this.state = "unsaved";
    this.flush();
  }

  /** Settle a conflict: take the other text. `mine` stays in the journal until `forgetMine`. */
  takeTheirs(theirs, mine) {
    this.#adopt(theirs);
    this.journal.write({ ...mine, based_on: NO_BASE });
  }

  /** The person has seen their own text once more and lets it go. */
  forgetMine() {
    if (!this.isDirty()) this.journal.clear();
  }

  /** Try again after a lock was taken over or freed. */
  resume() {
    if (this.state === "locked") this.state = "unsaved";
    if (this.isDirty()) this.flush();
    else this.#settleIfClean();
  }

  #restore() {
    const kept = this.journal.read();
    if (kept === null || same(kept, this.saved)) {
      this.journal.clear();
      this.#savedStatus();
      return;
    }
    const mine = { findings: kept.findings, impression: kept.impression };
    for (const [name, area] of Object.entries(this.areas)) area.value = mine[name];
    this.restoredAt = new Date(kept.at);
    if (kept.based_on === this.basedOn) {
      this.#say("unsaved", message("unsaved"));
      this.#later(IDLE_MS);
    } else {
      // Until the person decides, this text stands on what it was written on, not on what came since.
      this.basedOn = kept.based_on;
      this.#say("conflict", message("conflict"));
    }
  }

  #say(state, text) {
    this.state = state;
    this.status.dataset.state = state === "saved" && this.basedOn === 0 ? "new" : state;
    this.status.textContent = text;
    this.dispatchEvent(new Event("state"));
  }
}

/** The draft whose prose the page shows, or null: the report remembers what its writer had seen. */
function draftOnScreen() {
  const id = document.getElementById("draft-panel")?.dataset.draft;
  return id === undefined ? null : Number(id);
}
