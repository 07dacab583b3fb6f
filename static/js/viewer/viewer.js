/**
 * One radiograph on one canvas: load, first paint from the server's own table, then window/level, zoom, pan,
 * invert, overlays. Reset is first paint again.
 */

import { WebGLRenderer } from "./gl.js";
import * as masks from "./masks.js";
import { loadFirst, loadFull } from "./pixels.js";
import { chestPresets, clampWindow, invertTable, windowTable } from "./tables.js";
import { Transform } from "./transform.js";

/**
 * What draws on a canvas. A processor that plays a graphics processor is slower at it than it is at drawing by
 * itself: such WebGL is used only when it is asked for by name.
 */
async function renderer(canvas, wanted) {
  if (wanted !== "canvas") {
    try {
      return new WebGLRenderer(canvas, { isSoftwareFine: wanted === "webgl" });
    } catch {
      canvas = replaceCanvas(canvas);
    }
  }
  return plainRenderer(canvas);
}

async function plainRenderer(canvas) {
  const { CanvasRenderer } = await import("./canvas.js"); // not needed where there is a graphics processor
  return new CanvasRenderer(canvas);
}

/** A canvas keeps the first kind of context it gave out; another kind needs a new one in its place. */
function replaceCanvas(canvas) {
  const fresh = canvas.cloneNode(true);
  canvas.replaceWith(fresh);
  return fresh;
}

export class Viewer extends EventTarget {
  constructor(figure, { kind = "auto" } = {}) {
    super();
    this.figure = figure;
    this.kind = kind;
    this.transform = new Transform();
    this.look = { on: true, filled: false, opacity: 1, hidden: new Set(), resting: new Set(), lit: new Set() };
    this.packed = null;
    this.isReady = false;
    this.tool = null; // what the left button does instead of the window: see outline/tools.js
  }

  /** Load and show the image whose files are under `base`; resolves when every pixel is there. */
  async load(base, version) {
    const source = { base, version };
    // Making ready to draw takes as long as fetching, so both are done at once.
    const [{ display, tables, preview }, made] = await Promise.all([
      loadFirst(source), renderer(this.figure.querySelector("canvas"), this.kind),
    ]);
    this.display = display;
    this.image = { rows: display.rows, columns: display.columns, aspect: display.pixel_aspect_ratio };
    this.tables = tables;
    this.presets = [...display.windows, ...chestPresets(display)];
    this.renderer = made.holds(display) ? made : await plainRenderer(replaceCanvas(made.canvas));
    this.canvas = this.renderer.canvas;
    this.renderer.onrestored = () => this.draw();
    this.#show(preview);
    this.renderer.setMasks(this.packed);
    this.renderer.setStyles(this.packed === null ? new Uint8Array(0) : masks.styles(this.packed.masks, this.look));
    this.#watchSize();
    this.reset();
    this.isReady = true;
    const full = loadFull(source, display);
    full.catch(() => {}); // told below, when it is waited for
    this.#drawNow(); // the page's first frame may be the one that is being made
    this.#say("first-paint");
    this.#show(await full);
    this.#drawNow();
    this.#say("full");
  }

  #drawNow() {
    this.renderer.draw(this.transform, this.image);
    this.#say("drawn");
  }

  /** `level`: stored values, as many rows and columns of them as there are by now. */
  #show(level) {
    this.level = level;
    this.renderer.setLevel(level);
  }

  /** The first paint: the server's table exactly, the whole image, no inversion. */
  reset() {
    this.inverted = false;
    this.transform.upright();
    this.setPreset(0);
    this.fit();
  }

  /** One of the presets, keeping inversion: the first, and VOI LUTs, by the server's own table. */
  setPreset(index) {
    if (this.tables[index] === undefined) {
      this.setWindow(this.presets[index], index);
      return;
    }
    this.window = { ...this.presets[index] };
    this.preset = index;
    this.#setTable(this.tables[index]);
  }

  fit() {
    this.transform.fit(this.canvas, this.image);
    this.draw();
  }

  oneToOne() {
    this.transform.oneToOne(this.canvas, this.image);
    this.draw();
  }

  zoom(factor, x = this.canvas.width / 2, y = this.canvas.height / 2) {
    this.transform.zoom(factor, x, y, this.canvas, this.image);
    this.draw();
  }

  /** Turn what is seen clockwise by quarters. */
  turn(quarters) {
    this.transform.turn(quarters, this.canvas, this.image);
    this.draw();
  }

  /** Flip what is seen left to right. */
  flip() {
    this.transform.flip(this.canvas, this.image);
    this.draw();
  }

  pan(dx, dy) {
    this.transform.pan(dx, dy);
    this.draw();
  }

  /** Show a window in modality units, keeping inversion. `preset`: which of the presets it is, where two are equal. */
  setWindow(window, preset) {
    this.window = clampWindow(window);
    const { center, width } = this.window;
    this.preset = preset ?? this.presets.findIndex(
      (other) => other.function !== "LUT" && other.center === center && other.width === width,
    );
    this.#setTable(windowTable(this.display, this.window));
  }

  /** Change the window as a drag does: rightwards wider, downwards brighter, a canvas width the first window. */
  dragWindow(dx, dy) {
    const reach = this.display.windows[0].width / Math.max(300, Math.min(this.canvas.width, this.canvas.height));
    const { center, width } = this.window;
    // Where low values are bright, a higher centre is what brightens.
    const brighter = this.display.invert === this.inverted ? -1 : 1;
    this.setWindow({ center: center + brighter * dy * reach, width: width + dx * 2 * reach, function: "LINEAR" });
  }

  invert() {
    this.inverted = !this.inverted;
    this.table = invertTable(this.table, this.display.padding);
    this.renderer.setTable(this.table);
    this.draw();
  }

  #setTable(table) {
    this.table = this.inverted ? invertTable(table, this.display.padding) : table;
    this.renderer.setTable(this.table);
    this.draw();
    this.#say("window");
  }

  /** The masks of this image; see masks.json. */
  setMasks(list) {
    this.packed = masks.pack(list);
    this.renderer?.setMasks(this.packed);
    this.restyle();
  }

  /** Draw the overlays by a changed look. */
  restyle(look = {}) {
    Object.assign(this.look, look);
    if (this.packed !== null) this.renderer?.setStyles(masks.styles(this.packed.masks, this.look));
    this.draw();
  }

  /** Masks under a position of the page, smallest first. */
  masksAt(clientX, clientY) {
    if (this.packed === null) return [];
    const { row, column } = this.toImage(clientX, clientY);
    const found = masks.at(this.packed, (row * this.packed.rows) / this.image.rows, (column * this.packed.columns) / this.image.columns);
    return found.filter((mask) => masks.isShown(mask, this.look)).sort((a, b) => (a.area ?? 0) - (b.area ?? 0));
  }

  /** Where an image position lies on the canvas, in CSS pixels from its corner. */
  onScreen(point) {
    const { x, y } = this.transform.toCanvas(point, this.image);
    return { x: x / devicePixelRatio, y: y / devicePixelRatio };
  }

  /** The image position `{row, column}` under a position of the page. */
  toImage(clientX, clientY) {
    const { x, y } = this.toCanvas(clientX, clientY);
    return this.transform.toImage(x, y, this.image);
  }

  toCanvas(clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.canvas.width / box.width;
    return { x: (clientX - box.left) * scale, y: (clientY - box.top) * scale };
  }

  /** Draw once before the next frame, however often it is asked for. */
  draw() {
    if (this.renderer === undefined || this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.#drawNow();
    });
  }

  #watchSize() {
    const apply = () => {
      const box = this.canvas.getBoundingClientRect();
      const width = Math.max(1, Math.round(box.width * devicePixelRatio));
      const height = Math.max(1, Math.round(box.height * devicePixelRatio));
      if (width === this.canvas.width && height === this.canvas.height) return;
      this.canvas.width = width;
      this.canvas.height = height;
      if (this.transform.fitted) this.transform.fit(this.canvas, this.image);
      this.draw();
    };
    apply();
    new ResizeObserver(apply).observe(this.canvas);
  }

  #say(name) {
    this.dispatchEvent(new Event(name));
  }
}
