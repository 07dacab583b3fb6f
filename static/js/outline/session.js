/**
 * One outline while a person corrects it: its pixels, its steps, and what is drawn over the image meanwhile. Until
 * the server has it, every step is kept in this browser.
 */

import { Journal } from "../report/journal.js";
import { decode } from "../viewer/rle.js";
import { paint } from "./paint.js";
import { area, grid, whole } from "./shapes.js";
import { Steps } from "./steps.js";
import { TOOLS } from "./tools.js";

const SVG = "http://www.w3.org/2000/svg";

export class Session extends EventTarget {
  /** `mask` is one of the viewer's; `keeper` `{user, study}` says under whose name it is kept. */
  constructor(viewer, mask, keeper) {
    super();
    const [rows, columns] = mask.size;
    this.viewer = viewer;
    this.mask = mask;
    this.grid = grid(rows, columns, decode(mask.counts, mask.size));
    this.steps = new Steps(this.grid, "before");
    this.aspect = viewer.image.aspect;
    this.radius = Math.max(1, Math.round(columns / 80));
    this.basedOn = mask.row;
    this.journal = new Journal(keeper.user, `${keeper.study}:outline:${mask.image}:${mask.structure}`);
    this.layer = overlay(viewer.figure);
    viewer.addEventListener("drawn", this.#follow);
  }

  /** Bring back what was drawn before and never saved; when that was, or null. */
  restore() {
    const kept = this.journal.read();
    if (kept === null || kept.counts === this.steps.counts) return null;
    this.grid.bits.set(decode(kept.counts, this.mask.size));
    this.basedOn = kept.based_on;
    this.did("restored");
    this.redraw();
    return kept.at;
  }

  /** Take up a tool by name; the viewer's pointer is its own from now on. */
  take(name) {
    this.tool?.leave?.();
    this.toolName = name;
    this.tool = TOOLS[name](this);
    this.viewer.tool = this.#pointer;
    this.#say();
  }

  #pointer = {
    down: (point, event) => this.tool.down(point, event),
    move: (point, event) => {
      this.#point = point;
      this.tool.move(point, event);
      this.#follow();
    },
    up: () => this.tool.up(),
    hover: (point) => {
      this.#point = point;
      this.tool.hover?.(point);
      this.#follow();
    },
    double: (event) => this.tool.double?.(event),
  };

  #point = null;
  #corners = [];

  changed(box) {
    if (box !== null) paint(this.viewer, this.mask.id, this.grid, box);
  }

  redraw() {
    paint(this.viewer, this.mask.id, this.grid, whole(this.grid));
  }

  /** A step is done: keep it. */
  did(name) {
    this.steps.did(name);
    this.#keep();
  }

  undo() {
    if (this.steps.undo()) this.#stepped();
  }

  redo() {
    if (this.steps.redo()) this.#stepped();
  }

  #stepped() {
    this.redraw();
    this.#keep();
  }

  /** Whether every step is kept here until it is saved; false where this browser refuses. */
  isKept = true;

  #keep() {
    if (this.steps.isChanged) this.isKept = this.journal.write({ counts: this.steps.counts, based_on: this.basedOn });
    else this.journal.clear();
    this.#say();
  }

  get isEmpty() {
    return area(this.grid) === 0;
  }

  /** What is drawn here replaces this outline of a person from now on. */
  standOn(row) {
    this.basedOn = row;
    this.#keep();
  }

  setRadius(radius) {
    this.radius = Math.min(Math.max(1, radius), this.grid.columns / 4);
    this.#follow();
    this.#say();
  }

  /** Distance of two image positions on the screen, CSS pixels. */
  distance(a, b) {
    const [from, to] = [this.viewer.onScreen(a), this.viewer.onScreen(b)];
    return Math.hypot(from.x - to.x, from.y - to.y);
  }

  /** Show the corners of a polygon that is not closed yet. */
  preview(corners) {
    this.#corners = corners;
    this.#follow();
  }

  end() {
    this.tool?.leave?.();
    this.viewer.tool = null;
    this.viewer.removeEventListener("drawn", this.#follow);
    this.layer.remove();
  }

  #follow = () => {
    const at = (point) => {
      const { x, y } = this.viewer.onScreen(point);
      return [x, y];
    };
    const [round, line] = this.layer.children;
    const hasBrush = this.#point !== null && ["brush", "eraser"].includes(this.toolName);
    round.toggleAttribute("hidden", !hasBrush);
    if (hasBrush) {
      const [cx, cy] = at(this.#point);
      const r = (this.radius * this.viewer.transform.scale) / devicePixelRatio;
      for (const [name, value] of Object.entries({ cx, cy, r })) round.setAttribute(name, value);
    }
    line.setAttribute("points", this.#corners.map((corner) => at(corner).join()).join(" "));
  };

  #say() {
    this.dispatchEvent(new Event("change"));
  }
}

function overlay(figure) {
  const layer = document.createElementNS(SVG, "svg");
  layer.setAttribute("class", "drawing");
  layer.setAttribute("aria-hidden", "true");
  layer.append(document.createElementNS(SVG, "circle"), document.createElementNS(SVG, "polyline"));
  figure.append(layer);
  return layer;
}
