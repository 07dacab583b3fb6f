/** The sign dialog: save first, show exactly what will be signed, ask for the password again. */

import { make, message, post, SignedOut } from "../dom.js";
import { toast } from "../errors.js";

/** Refusals that are about the text, not about the signature: the editor shows them. */
const ELSEWHERE = new Set(["revision-conflict", "report-signed", "report-locked"]);

/** Save what is in the editor and show it in the open dialog; null, and closed, where it cannot be saved. */
export async function prepare(element, editor, checks) {
  const dialog = new SignDialog(element, editor, checks);
  return await dialog.show() ? dialog : null;
}

class SignDialog {
  constructor(dialog, editor, checks) {
    this.dialog = dialog;
    this.editor = editor;
    this.checks = checks;
    this.form = dialog.querySelector("form");
    this.error = dialog.querySelector("[role=alert]");
  }

  /** Whether the dialog shows what would be signed: what is saved, and what is asked about it. */
  async show() {
    this.#complain("");
    const isSaved = await this.editor.flush({ evenIfClean: true });
    if (!isSaved) {
      this.dialog.close();
      toast(message("sign-needs-saved"));
      return false;
    }
    const text = this.editor.text();
    this.form.elements.revision.value = this.editor.basedOn;
    this.form.elements.sha256.value = this.editor.sha256;
    const shown = this.dialog.querySelector(".to-sign");
    shown.replaceChildren();
    for (const name of ["findings", "impression"]) {
      shown.append(make("h3", "", message(name)), make("pre", text[name] ? "" : "empty", text[name] || message("empty")));
    }
    this.dialog.querySelector(".revision").textContent = message("signs-revision", { revision: this.editor.basedOn });
    await this.#ask();
    this.dialog.setAttribute("aria-busy", "false");
    return this.dialog.open;
  }

  /** Show what is asked about the text. Who signs then has decided, and the signature says so. */
  async #ask() {
    const found = await this.checks.look() ?? { warnings: [], not_checked: [] };
    const place = this.dialog.querySelector(".asked");
    place.querySelector("ul").replaceChildren(...this.checks.rows(found.warnings, () => this.dialog.close()));
    place.querySelector(".unchecked").textContent = found.not_checked.length === 0
      ? "" : message("not-checked", { sections: found.not_checked.join(", ") });
    place.hidden = found.warnings.length + found.not_checked.length === 0;
    place.querySelector(".question").hidden = found.warnings.length === 0;
    this.form.elements.decided.value = JSON.stringify(found.warnings.map((warning) => warning.key));
    this.form.querySelector("[type=submit]").textContent = message(found.warnings.length > 0 ? "sign-as-it-is" : "sign");
  }

  #complain(text) {
    this.error.textContent = text;
    this.error.hidden = text === "";
  }

  /** Sign what is shown. `hasSeen` is false where it was asked for before the questions were there to be seen. */
  async sign({ hasSeen }) {
    if (!this.dialog.open || (!hasSeen && this.form.elements.decided.value !== "[]")) return;
    const submit = this.form.querySelector("[type=submit]");
    submit.disabled = true;
    this.#complain("");
    submit.setAttribute("aria-busy", "true");
    try {
      const { status, body } = await post(this.form.action, new FormData(this.form));
      if (status === 200) {
        this.editor.state = "signed";
        location.assign(body.next + location.search); // the list one came from goes along
        return;
      }
      if (ELSEWHERE.has(body?.code)) {
        this.dialog.close();
        this.editor.refused(status, body);
        return;
      }
      if (body?.code === "checks-open") await this.#ask();
      this.#complain(body?.message ?? message("server-failed", { status }));
      this.form.elements.password.select();
    } catch (error) {
      if (error instanceof SignedOut) this.#complain(message("expired"));
      else if (error instanceof TypeError) this.#complain(message("server-unreachable"));
      else throw error;
    } finally {
      submit.disabled = false;
      submit.removeAttribute("aria-busy");
    }
  }
}
