/** The reading page: ties viewers, masks, draft and report together. Each part does its own job elsewhere. */

import { csrfToken, message, readJson } from "./dom.js";
import { toast } from "./errors.js";
import { bind } from "./keyboard.js";
import { keptOf } from "./report/journal.js";
import { connectReport } from "./report/page.js";
import { connectTools } from "./viewer/tools.js";
import { attachMouse } from "./viewer/mouse.js";
import { StructureList } from "./viewer/structures.js";
import { Viewer } from "./viewer/viewer.js";

const page = readJson("study");
const kind = new URLSearchParams(location.search).get("viewer") ?? "auto";

/** Which sentences and masks are lit, in one place. */
class Light extends EventTarget {
  masks = new Set();
  sentences = new Set();

  set({ masks = [], sentences = [] }) {
    this.masks = new Set(masks);
    this.sentences = new Set(sentences);
    this.dispatchEvent(new Event("change"));
  }

  clear() {
    if (this.masks.size + this.sentences.size > 0) this.set({});
  }
}

const light = new Light();
const viewers = new Map();
let shownBadge = "";
let allMasks = [];
let lastPicked = null;
let worked = null; // the outline that is being corrected
const structures = new StructureList(document.getElementById("structures"), light);
const report = connectReport(page, light);

async function open(figure) {
  const viewer = new Viewer(figure, { kind });
  figure.addEventListener("focusin", () => activate(figure));
  viewers.set(figure.dataset.sop, viewer);
  const state = figure.querySelector(".viewport-state");
  viewer.addEventListener("first-paint", () => {
    state.hidden = true;
    attachMouse(viewer, { onpick: pick, onactive: () => activate(figure) });
    performance.mark(`first-paint:${figure.dataset.sop}`);
    figure.dataset.state = "preview";
  });
  viewer.addEventListener("full", () => { figure.dataset.state = "full"; });
  viewer.addEventListener("drawn", () => describe(figure, viewer));
  try {
    await viewer.load(figure.dataset.base, figure.dataset.version);
  } catch (error) {
    state.hidden = false;
    state.textContent = message(viewer.isReady ? "image-partly" : "image-failed");
    figure.dataset.state = "failed";
    if (!(error instanceof TypeError) && error.status === undefined) throw error;
  }
}

function describe(figure, viewer) {
  const { center, width } = viewer.window;
  const zoom = Math.round((viewer.transform.scale / devicePixelRatio) * 100);
  figure.querySelector(".live").textContent = message("window-and-zoom", {
    center: Math.round(center), width: Math.round(width), zoom,
  }) + (viewer.inverted ? ` · ${message("inverted")}` : "");
  orient(figure, viewer.transform);
}

/** Marks go with the body; an image that is not as it came says so. */
function orient(figure, transform) {
  for (const mark of figure.querySelectorAll(".mark")) {
    mark.className = `mark ${transform.sideOnScreen(mark.dataset.side)}`;
  }
  const turned = transform.quarters > 0 ? message("turned", { degrees: transform.quarters * 90 }) : "";
  const text = [transform.flipped ? message("flipped") : "", turned].filter(Boolean).join(" · ");
  const notice = figure.querySelector(".turned");
  if (notice.textContent !== text) notice.textContent = text;
  notice.hidden = text === "";
}

function activate(figure) {
  if (figure.classList.contains("active")) return;
  for (const other of document.querySelectorAll(".viewport")) other.classList.toggle("active", other === figure);
  const viewer = viewers.get(figure.dataset.sop);
  if (viewer?.isReady) tools.show(viewer);
}

function active() {
  const figure = document.querySelector(".viewport.active") ?? document.querySelector(".viewport");
  return viewers.get(figure?.dataset.sop);
}

/** A click on the image: the smallest mask there lights, with the sentences that rest on it. */
function pick(found) {
  if (found.length === 0) {
    light.clear();
    return;
  }
  const { id } = found[0];
  lastPicked = id;
  const sentences = report.sentencesOn(id);
  light.set({ masks: [id], sentences });
  report.scrollTo(sentences[0]);
}

async function loadMasks() {
  const response = await fetch(page.masks_url, { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) {
    toast(message("masks-failed"));
    return;
  }
  // A sentence cites the model's outline, also where a person's stands in its place.
  allMasks = (await response.json()).map((mask) => ({ ...mask, row: mask.id, id: mask.cited_as }));
  structures.show(allMasks); // first: what is off is never drawn
  if (!outlines?.isBusy()) for (const viewer of viewers.values()) viewer.setMasks(masksOf(viewer));
  badge(allMasks);
}

function masksOf(viewer) {
  return allMasks.filter((mask) => mask.image === viewer.figure.dataset.sop);
}

/** What made the outlines, on every image that has some. */
function badge(masks) {
  const text = readJson("draft-badge", "");
  shownBadge = text;
  for (const figure of document.querySelectorAll("figure.viewport")) {
    const place = figure.querySelector("[data-ai-badge]");
    place.hidden = text === "" || !masks.some((mask) => mask.image === figure.dataset.sop && mask.source === "ai");
    place.querySelector("[data-ai-badge-text]").textContent = text;
  }
}

/** What a drafter would see now against what this page was made from: an image may have come meanwhile. */
const inputNow = () => document.querySelector("#report-state [data-input]")?.dataset.input;
const inputThen = inputNow();
function noticeChange() {
  const changed = inputNow() !== inputThen;
  const notice = document.getElementById("study-changed");
  if (changed && notice.hidden) document.getElementById("draft-panel")?.dispatchEvent(new CustomEvent("refresh"));
  notice.hidden = !changed;
}

function restyle(look) {
  for (const viewer of viewers.values()) viewer.restyle(look);
}

/** What is worked on stays lit and drawn, whatever else is lit or switched off. */
function relight() {
  const hidden = new Set(structures.hidden);
  hidden.delete(worked);
  restyle({ hidden, resting: structures.resting, lit: worked === null ? light.masks : new Set([worked]) });
}

/** Correcting outlines: seldom done, so its scripts come when it is. */
let outlines = null;
async function connectOutlines() {
  const bar = await import("./outline/bar.js");
  outlines ??= bar.connectOutlines(page.outlines, {
    active: () => viewers.get(document.querySelector(".viewport.active:not(.prior)")?.dataset.sop),
    masksOf,
    picked: () => [...light.masks][0] ?? lastPicked,
    async onsaved() {
      document.getElementById("draft-panel").dispatchEvent(new CustomEvent("refresh")); // it may be drafted again now
      await loadMasks();
      report.outlinesChanged();
    },
    onlight(id) {
      worked = id;
      relight();
    },
  });
}

async function correct() {
  measures?.escape();
  await connectOutlines();
  outlines.start();
}

/** Other layouts, and priors beside: their script comes when they are asked for. */
const figures = document.querySelector(".viewports");
const layout = async (act) => {
  const { Layout } = await import("./viewer/layout.js");
  act(Layout.of(figures, { open, activate, active, viewers }));
};
bind("2", () => layout((it) => it.toggle("one")));
bind("3", () => layout((it) => it.toggle("prior")));
bind("l", () => layout((it) => it.link()));
document.querySelector("#tools [name=layout]").addEventListener("change", ({ target }) => layout((it) => it.show(target.value)));
document.querySelector("[data-tool=link]").addEventListener("click", () => layout((it) => it.link()));
document.getElementById("priors")?.addEventListener("click", ({ target }) => {
  if (target.dataset.prior) layout((it) => it.beside(target.dataset.prior));
});

/** Measuring, and the magnifier while its key is held. */
let measures = null;
let isHeld = false;
const measure = async (act) => {
  const { Measures } = await import("./measure/measures.js");
  measures ??= new Measures({ active, masksOf });
  act(measures);
};
for (const [key, kind] of Object.entries({ d: "length", a: "angle", q: "probe", t: "ratio" })) {
  bind(key, () => measure((it) => it.start(kind)));
}
const hold = (held) => () => {
  isHeld = held;
  measure((it) => it.lens(isHeld));
};
bind("m", hold(true), hold(false));
document.querySelector("#tools [name=measure]").addEventListener("change", ({ target }) => {
  const kind = target.value;
  target.blur(); // the keys are the image's again
  if (kind !== "") measure((it) => it.start(kind));
  else measures?.escape();
});

if (page.outlines !== null) {
  bind("c", correct);
  document.querySelector('[data-tool="correct"]').addEventListener("click", correct);
  if (keptOf(page.outlines.user, `${page.outlines.study}:outline:`).length > 0) connectOutlines(); // it tells of them
}

light.addEventListener("change", relight);
structures.addEventListener("change", relight);
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "report-state") noticeChange();
  if (event.detail.target.id !== "draft-panel") return;
  report.readDraft();
  if (shownBadge !== readJson("draft-badge", "")) loadMasks();
});
bind("n", () => { if (page.next_url) location.assign(page.next_url); });
bind("escape", () => { if (!measures?.escape() && !outlines?.escape()) light.clear(); });

const openedAt = performance.now();
addEventListener("pagehide", () => {
  const form = new FormData();
  form.set("seconds", ((performance.now() - openedAt) / 1000).toFixed(1));
  form.set("csrfmiddlewaretoken", csrfToken());
  navigator.sendBeacon(page.close_url, form);
});

const opened = [...document.querySelectorAll("figure.viewport")].map(open);
const tools = connectTools({ active, restyle, viewers });
await loadMasks();
await Promise.allSettled(opened);
if (page.next_images.length > 0) import("./viewer/ahead.js").then(({ fetchAhead }) => fetchAhead(page.next_images));
