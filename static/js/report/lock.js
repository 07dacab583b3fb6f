/**
 * Who is writing. The lock is asked for when the person goes into the text, renewed while they are there, and
 * released on leaving; it warns, it never keeps text from being kept.
 */

import { clock, csrfToken, message, post, SignedOut } from "../dom.js";

const BEAT_MS = 30_000;
const LOOK_MS = 10_000;

export class Lock extends EventTarget {
  /** `state`: `{mine, holder, since}` as the page was made; `basedOn()` the revision that is on screen. */
  constructor(url, state, basedOn) {
    super();
    this.url = url;
    this.basedOn = basedOn;
    this.banner = document.getElementById("lock-banner");
    this.holds = false;
    this.#apply(state);
    this.looking = setInterval(() => this.#look(), LOOK_MS);
    document.getElementById("take-over")?.addEventListener("click", () => this.#ask("take-over"));
    addEventListener("pagehide", () => this.release());
  }

  /** Someone else holds it. */
  get isForeign() {
    return this.state.holder !== null && !this.state.mine;
  }

  hold() {
    if (this.holds || this.isForeign) return;
    this.#ask("hold");
  }

  /** Take a state another answer told of (a save refused by the lock). */
  told(state) {
    this.#apply(state);
  }

  release() {
    if (!this.holds) return;
    this.#stop();
    const form = new FormData();
    form.set("action", "release");
    form.set("csrfmiddlewaretoken", csrfToken());
    navigator.sendBeacon(this.url, form);
  }

  stop() {
    this.release();
    clearInterval(this.looking);
  }

  #stop() {
    this.holds = false;
    clearInterval(this.beat);
  }

  async #ask(action) {
    const form = new FormData();
    form.set("action", action);
    form.set("based_on", this.basedOn());
    try {
      const { status, body } = await post(this.url, form);
      if (status === 200) {
        this.#apply(body);
        if (body.mine && !this.holds) {
          this.holds = true;
          this.beat = setInterval(() => this.#ask("hold"), BEAT_MS);
        }
      } else if (status === 423 || status === 409) {
        this.#stop();
        if (body?.errors?.lock) this.#apply({ mine: false, ...body.errors.lock });
      }
    } catch (error) {
      if (!(error instanceof SignedOut || error instanceof TypeError)) throw error;
    }
  }

  async #look() {
    if (this.holds || document.visibilityState !== "visible") return;
    try {
      const response = await fetch(`${this.url}?based_on=${this.basedOn()}`, { headers: { Accept: "application/json" }, redirect: "manual" });
      if (response.ok) this.#apply(await response.json());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  #apply(state) {
    const was = this.state === undefined ? null : this.isForeign;
    // Before the text may be written into again: it must be the newest one.
    if (state.current) this.dispatchEvent(new CustomEvent("newer", { detail: state.current }));
    this.state = { mine: state.mine, holder: state.holder ?? null, since: state.since ?? null };
    if (this.isForeign) this.#stop();
    this.banner.hidden = !this.isForeign;
    if (this.isForeign) {
      this.banner.querySelector("p").textContent = message("locked-by", {
        holder: this.state.holder,
        time: clock(new Date(this.state.since)),
      });
    }
    if (was !== this.isForeign) this.dispatchEvent(new Event("change"));
  }
}
