/**
 * Measuring on the images: lengths, angles, the cardiothoracic ratio, the value under the pointer and the magnifier.
 * Every length says where the size of a pixel comes from. What is measured stays until it is taken away, lies over
 * the image and never in it, and each end can be moved by hand.
 */

import { make, message } from "../dom.js";
import { toast } from "../errors.js";
import { angleOf, heartAndThorax, isRotated, lengthOf, ratioOf } from "./geometry.js";
import { Lens } from "./lens.js";

const SVG = "http://www.w3.org/2000/svg";
const POINTS = { length: 2, angle: 3 };
const STILL_PX = 4;

export class Measures {
  /** `active()` is the viewer last touched; `masksOf(viewer)` are the masks that stand on its image. */
  constructor({ active, masksOf }) {
    Object.assign(this, { active, masksOf });
    this.layers = new Map();
    this.tool = null;
    this.choice = document.querySelector("#tools [name=measure]");
    this.magnifier = new Lens(active);
  }

  /** Take up a tool, or put it down when it is in the hand. */
  start(kind) {
    const viewer = this.active();
    const isSame = this.tool?.kind === kind;
    this.escape();
    if (isSame || !viewer?.isReady) return;
    if (kind === "ratio") {
      this.#ratio(viewer);
    } else if (kind === "lens") {
      this.#hold({ kind, viewer, leave: () => this.magnifier.hide() });
      this.magnifier.show();
    } else if (viewer.tool !== null) {
      toast(message("measure-later")); // an outline is being corrected
    } else if (kind === "probe") {
      this.#hold(new Probe(viewer));
    } else {
      this.#hold(new Drawing(kind, this.#layer(viewer)));
    }
    if (this.tool === null) this.choice.value = "";
  }

  /** Show the magnifier while its key is held. */
  lens(isOn) {
    if (isOn) this.magnifier.show();
    else this.magnifier.hide();
  }

  /** Put the tool down; whether there was one. */
  escape() {
    const had = this.tool !== null;
    this.tool?.leave();
    this.tool = null;
    this.choice.value = "";
    return had;
  }

  #hold(tool) {
    this.tool = tool;
    this.choice.value = tool.kind;
  }

  #layer(viewer) {
    if (!this.layers.has(viewer)) this.layers.set(viewer, new Layer(viewer));
    return this.layers.get(viewer);
  }

  /** The cardiothoracic ratio by the masks, or lines to be put by hand where there are none. */
  #ratio(viewer) {
    const { image, figure } = viewer;
    const layer = this.#layer(viewer);
    if (figure.dataset.projection !== "frontal") {
      toast(message("ratio-frontal"));
      return;
    }
    layer.take((each) => each.kind === "ratio");
    const masks = this.masksOf(viewer);
    const found = heartAndThorax(masks, image);
    const points = found ?? [0.35, 0.65, 0.1, 0.9].map((share, index) => ({
      row: image.rows * (index < 2 ? 0.6 : 0.7), column: image.columns * share,
    }));
    const reasons = [];
    if (figure.dataset.viewPosition === "AP") reasons.push(message("ratio-ap"));
    const turned = isRotated(masks, image);
    if (turned === true) reasons.push(message("ratio-rotated"));
    if (turned === null) reasons.push(message("ratio-rotation-unknown"));
    const used = masks.filter((mask) => ["heart", "lung_left", "lung_right"].includes(mask.structure));
    if (found === null) reasons.push(message("ratio-by-hand"));
    else if (used.some((mask) => !mask.trusted)) reasons.push(message("ratio-untrusted"));
    layer.add({ kind: "ratio", points, reasons });
  }
}

/** Points by clicks, or two by one drag. */
class Drawing {
  constructor(kind, layer) {
    Object.assign(this, { kind, layer, viewer: layer.viewer, points: [] });
    this.viewer.tool = this;
  }

  down(point, event) {
    this.points.push(point);
    this.at = [event.clientX, event.clientY];
    this.#offer();
  }

  move(point, event) {
    this.isDrag = Math.hypot(event.clientX - this.at[0], event.clientY - this.at[1]) > STILL_PX;
    this.hover(point);
  }

  up() {
    if (this.isDrag && this.pointer !== undefined) this.points.push(this.pointer);
    this.isDrag = false;
    this.#offer();
  }

  hover(point) {
    this.pointer = point;
    if (this.points.length > 0) this.layer.preview({ kind: this.kind, points: [...this.points, point] });
  }

  double() {}

  #offer() {
    if (this.points.length < POINTS[this.kind]) return;
    this.layer.preview(null);
    this.layer.add({ kind: this.kind, points: this.points.slice(0, POINTS[this.kind]) });
    this.points = [];
  }

  leave() {
    this.layer.preview(null);
    this.viewer.tool = null;
  }
}

/** The value under the pointer, in modality units. */
class Probe {
  kind = "probe";

  constructor(viewer) {
    this.viewer = viewer;
    this.label = make("output", "probe");
    viewer.figure.append(this.label);
    this.label.hidden = true;
    this.follow = (event) => this.#show(event);
    viewer.figure.addEventListener("pointermove", this.follow);
  }

  #show(event) {
    const { viewer, label } = this;
    const at = viewer.toImage(event.clientX, event.clientY);
    const [row, column] = [Math.floor(at.row), Math.floor(at.column)];
    const { level, image, display } = viewer;
    label.hidden = row < 0 || column < 0 || row >= image.rows || column >= image.columns;
    if (label.hidden) return;
    const isFull = level.rows === image.rows;
    const value = isFull
      ? Number((level.values[row * image.columns + column] * display.value_slope + display.value_intercept).toPrecision(7)) : "…";
    label.textContent = message("probe", { value, row: row + 1, column: column + 1 });
    const box = viewer.figure.getBoundingClientRect();
    label.style.left = `${event.clientX - box.left}px`;
    label.style.top = `${event.clientY - box.top}px`;
  }

  leave() {
    this.viewer.figure.removeEventListener("pointermove", this.follow);
    this.label.remove();
  }
}

/** What was measured on one image, drawn over it. */
class Layer {
  constructor(viewer) {
    this.viewer = viewer;
    this.measures = [];
    this.unfinished = null;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", "measures");
    this.labels = make("div", "measure-labels");
    viewer.figure.append(this.svg, this.labels);
    viewer.addEventListener("drawn", () => this.draw());
  }

  add(measure) {
    this.measures.push(measure);
    this.draw();
  }

  preview(measure) {
    this.unfinished = measure;
    this.draw();
  }

  /** Take away the measures that `fits` is true of. */
  take(fits) {
    this.measures = this.measures.filter((measure) => !fits(measure));
    this.draw();
  }

  draw() {
    const shown = this.unfinished === null ? this.measures : [...this.measures, this.unfinished];
    this.svg.replaceChildren(...shown.flatMap((measure) => this.#shape(measure)));
    const kept = new Set(shown);
    for (const label of [...this.labels.children]) if (!kept.has(label.measure)) label.remove();
    for (const measure of shown) this.#label(measure);
  }

  #shape(measure) {
    const at = measure.points.map((point) => this.viewer.onScreen(point));
    const strokes = measure.kind === "ratio" ? [at.slice(0, 2), at.slice(2)] : [at];
    const lines = strokes.map((points) => element("polyline", { points: points.map(({ x, y }) => `${x},${y}`).join(" ") }));
    // What is being drawn ends under the pointer: nothing of it may take the next click.
    if (measure === this.unfinished) return lines;
    const handles = at.map(({ x, y }, index) => {
      const handle = element("circle", { cx: x, cy: y, r: 5, class: "handle" });
      handle.addEventListener("pointerdown", (event) => this.#drag(event, measure, index));
      return handle;
    });
    return [...lines, ...handles];
  }

  #drag(event, measure, index) {
    event.stopPropagation();
    event.preventDefault();
    const move = (moved) => {
      const point = this.viewer.toImage(moved.clientX, moved.clientY);
      const own = measure.points[index];
      own.column = point.column;
      if (measure.kind === "ratio") measure.points[index ^ 1].row = point.row; // a width stays across
      own.row = point.row;
      this.draw();
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }

  #label(measure) {
    let label = [...this.labels.children].find((each) => each.measure === measure);
    if (label === undefined) {
      label = make("button", "measure-label");
      label.type = "button";
      label.title = message("measure-remove");
      label.measure = measure;
      label.addEventListener("click", () => this.take((each) => each === measure));
      this.labels.append(label);
    }
    label.classList.toggle("unfinished", measure === this.unfinished);
    const text = describe(measure, this.viewer.display);
    label.hidden = text === "";
    if (label.textContent !== text) label.textContent = text;
    const { x, y } = this.viewer.onScreen(measure.points.at(-1));
    label.style.left = `${x + 10}px`;
    label.style.top = `${y + 6}px`;
    // Near the right edge it goes to the other side of the point: it is read whole.
    label.classList.toggle("leftwards", x > this.viewer.figure.clientWidth * 0.55);
  }
}

/** A measure in words, with its unit and where that comes from. */
export function describe({ kind, points, reasons = [] }, display) {
  if (kind === "angle") return points.length < 3 ? "" : message("measure-angle", { value: angleOf(points, display).toFixed(1) });
  if (kind === "ratio") {
    const value = ratioOf(points).toFixed(2);
    return [message("measure-ratio", { value }), ...reasons].join(" · ");
  }
  if (points.length < 2) return "";
  const { value, unit, source } = lengthOf(points, display);
  if (unit === "px") return message("measure-px", { value: value.toFixed(0) });
  return message("measure-mm", { value: value.toFixed(1), source: message(`spacing-${source || "unknown"}`) });
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
