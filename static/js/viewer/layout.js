/**
 * Which images are seen: all of the study, one alone, or one beside a prior. Two beside each other may be linked:
 * zoom, place and window of the one that is worked on go to the other, each measured against its own fit and its own
 * first window, since two films are seldom of one size.
 */

import { message } from "../dom.js";
import { toast } from "../errors.js";

let made = null;

export class Layout {
  /** The layout of the page, made when it is first asked for. */
  static of(place, parts) {
    made ??= new Layout(place, parts);
    return made;
  }

  /** `parts`: open(figure), activate(figure), active() and the viewers by SOP Instance UID. */
  constructor(place, parts) {
    Object.assign(this, { place, ...parts });
    this.name = "all";
    this.isLinked = true;
    this.pair = [];
    this.lead = null;
    this.choice = document.querySelector("#tools [name=layout]");
    this.linkButton = document.querySelector("[data-tool=link]");
    this.priors = new Map(); // address -> figures
    for (const type of ["pointerdown", "wheel", "focusin"]) {
      place.addEventListener(type, (event) => this.#leads(event.target.closest("figure")), { capture: true, passive: true });
    }
  }

  /** This layout, or all images when it is already shown. */
  toggle(name) {
    return this.show(this.name === name ? "all" : name);
  }

  async show(name) {
    if (name === "prior") {
      const newest = document.querySelector("#priors [data-prior]");
      if (newest === null) toast(message("no-prior"));
      else await this.beside(newest.dataset.prior);
      return;
    }
    this.#set(name, []);
  }

  /** The images of a prior, at an address, beside the one that is worked on. */
  async beside(address) {
    if (this.#current() === undefined) { // no image to put it beside
      this.choice.value = this.name;
      return;
    }
    let figures = this.priors.get(address);
    if (figures === undefined) {
      figures = await this.#fetch(address);
      if (figures === null) return;
      this.priors.set(address, figures);
      this.place.append(...figures);
      for (const figure of figures) this.open(figure);
    }
    const current = this.#current();
    const like = figures.find((figure) => figure.dataset.projection === current.dataset.projection) ?? figures[0];
    this.#set("prior", [current, like]);
  }

  /** Link the two that are beside each other, or not. */
  link() {
    this.isLinked = !this.isLinked;
    this.linkButton.setAttribute("aria-pressed", String(this.isLinked));
    this.#follow();
  }

  #current() {
    const own = [...this.place.querySelectorAll("figure:not(.prior)")];
    return own.find((figure) => figure.classList.contains("active")) ?? own[0];
  }

  async #fetch(address) {
    let response;
    try {
      response = await fetch(address, { credentials: "same-origin" });
    } catch {
      response = { ok: false };
    }
    if (!response.ok || response.redirected) {
      toast(message("prior-failed"));
      this.choice.value = this.name;
      return null;
    }
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    const figures = [...template.content.querySelectorAll("figure")];
    const { patient } = this.#current().dataset;
    // The server answers only for priors of this patient; what is put beside an image is checked once more.
    if (figures.length === 0 || figures.some((figure) => figure.dataset.patient !== patient)) {
      toast(message(figures.length === 0 ? "prior-empty" : "other-patient"));
      this.choice.value = this.name;
      return null;
    }
    return figures;
  }

  #set(name, pair) {
    this.name = name;
    this.pair = pair;
    this.place.dataset.layout = name;
    this.choice.value = name;
    this.linkButton.hidden = name !== "prior";
    for (const figure of this.place.querySelectorAll("figure")) {
      figure.classList.toggle("shown", pair.includes(figure));
    }
    this.lead = null;
    const current = this.#current();
    if (current === undefined) return;
    this.activate(current);
    this.#leads(current);
  }

  /** The viewer that others follow is the one last worked on. */
  #leads(figure) {
    if (figure === null || !this.pair.includes(figure) || this.lead?.figure === figure) return;
    this.lead = { figure };
    for (const one of this.pair) {
      const viewer = this.viewers.get(one.dataset.sop);
      if (viewer.isFollowed) continue;
      viewer.isFollowed = true;
      viewer.addEventListener("drawn", () => { if (this.lead?.figure === one) this.#follow(); });
      viewer.addEventListener("first-paint", () => this.#follow());
    }
    this.#follow();
  }

  #follow() {
    if (!this.isLinked || this.pair.length < 2 || this.lead === null) return;
    const from = this.viewers.get(this.lead.figure.dataset.sop);
    const to = this.viewers.get(this.pair.find((one) => one !== this.lead.figure).dataset.sop);
    if (!from?.isReady || !to?.isReady) return;
    followPlace(from, to);
    followWindow(from, to);
  }
}

/** The same zoom over the fit, and the same part of the image in the middle. */
function followPlace(from, to) {
  if (from.transform.fitted) {
    if (!to.transform.fitted) to.fit();
    return;
  }
  const middle = from.transform.toImage(from.canvas.width / 2, from.canvas.height / 2, from.image);
  const zoom = from.transform.scale / from.transform.fitting(from.canvas, from.image);
  to.zoom((zoom * to.transform.fitting(to.canvas, to.image)) / to.transform.scale);
  const at = to.transform.toCanvas({
    row: (middle.row / from.image.rows) * to.image.rows,
    column: (middle.column / from.image.columns) * to.image.columns,
  }, to.image);
  to.pan(to.canvas.width / 2 - at.x, to.canvas.height / 2 - at.y);
}

/** The same preset, or a window that lies to the first as the other does to its own. */
function followWindow(from, to) {
  if (from.inverted !== to.inverted) to.invert();
  const given = JSON.stringify([from.preset, from.window]);
  if (to.followed === given) return;
  to.followed = given;
  if (from.preset === 0) {
    to.setPreset(0);
    return;
  }
  const named = from.presets[from.preset]?.name;
  const like = named === undefined ? -1 : to.presets.findIndex((preset) => preset.name === named);
  if (like !== -1) {
    to.setPreset(like);
    return;
  }
  const [first, own] = [from.display.windows[0], to.display.windows[0]];
  to.setWindow({
    center: own.center + ((from.window.center - first.center) / first.width) * own.width,
    width: (from.window.width / first.width) * own.width,
    function: "LINEAR",
  });
}
