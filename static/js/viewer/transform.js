/**
 * Where the image lies on the canvas: device pixels = offset + scale × what is shown, and what is shown is the image,
 * flipped left to right or not, then turned clockwise by quarters. Lengths that are shown count columns; a row is as
 * high as the pixel's aspect (height divided by width).
 */

const MOST = 16;
const SIDES = ["top", "right", "bottom", "left"];

export class Transform {
  constructor() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.fitted = true;
    this.upright();
  }

  /** As the image came. */
  upright() {
    this.quarters = 0;
    this.flipped = false;
  }

  get isUpright() {
    return this.quarters === 0 && !this.flipped;
  }

  /** Turn what is seen clockwise, around the middle of the canvas. */
  turn(quarters, canvas, image) {
    this.#about(canvas, image, () => { this.quarters = (this.quarters + quarters + 4) % 4; });
  }

  /** Flip what is seen left to right. A flip turns the other way round what was turned before. */
  flip(canvas, image) {
    this.#about(canvas, image, () => {
      this.quarters = (4 - this.quarters) % 4;
      this.flipped = !this.flipped;
    });
  }

  /** Width and height of what is shown, in columns. */
  extent({ columns, rows, aspect }) {
    return this.quarters % 2 === 0 ? [columns, rows * aspect] : [rows * aspect, columns];
  }

  /** The whole image, centred. */
  fit(canvas, image) {
    this.scale = this.fitting(canvas, image);
    this.fitted = true;
    const [width, height] = this.extent(image);
    this.x = Math.round((canvas.width - width * this.scale) / 2);
    this.y = Math.round((canvas.height - height * this.scale) / 2);
  }

  /** One image pixel on one screen pixel, around the middle of what is seen. */
  oneToOne(canvas, image) {
    this.zoom(1 / this.scale, canvas.width / 2, canvas.height / 2, canvas, image);
    this.x = Math.round(this.x);
    this.y = Math.round(this.y);
  }

  /** Zoom about a canvas position, which keeps its place. */
  zoom(factor, x, y, canvas, image) {
    const least = Math.min(1, 0.5 * this.fitting(canvas, image));
    const scale = Math.min(Math.max(this.scale * factor, least), MOST * devicePixelRatio);
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
  }

  /** `[a, b, c, d, e, f]`: the column under a canvas position is a x + b y + c, the row d x + e y + f. */
  toImageMatrix({ columns, rows, aspect }) {
    const height = rows * aspect;
    const one = 1 / this.scale;
    const [left, top] = [this.x * one, this.y * one];
    // Across and down in the image that is flipped but not yet turned.
    let [across, down] = [
      [[one, 0, -left], [0, one, -top]],
      [[0, one, -top], [-one, 0, height + left]],
      [[-one, 0, columns + left], [0, -one, height + top]],
      [[0, -one, columns + top], [one, 0, -left]],
    ][this.quarters];
    if (this.flipped) across = [-across[0], -across[1], columns - across[2]];
    return [...across, ...down.map((part) => part / aspect)];
  }

  /** Image position `{row, column}` under a canvas position. */
  toImage(x, y, image) {
    const [a, b, c, d, e, f] = this.toImageMatrix(image);
    return { row: d * x + e * y + f, column: a * x + b * y + c };
  }

  /** Canvas position `{x, y}` of an image position. */
  toCanvas({ row, column }, { columns, rows, aspect }) {
    const across = this.flipped ? columns - column : column;
    const [down, height] = [row * aspect, rows * aspect];
    const [x, y] = [
      [across, down], [height - down, across], [columns - across, height - down], [down, columns - across],
    ][this.quarters];
    return { x: this.x + x * this.scale, y: this.y + y * this.scale };
  }

  /** The side of the screen at which a side of the image is seen. */
  sideOnScreen(side) {
    const mirrored = this.flipped ? { left: "right", right: "left" }[side] ?? side : side;
    return SIDES[(SIDES.indexOf(mirrored) + this.quarters) % 4];
  }

  /** Change the orientation and keep what is in the middle there; a fitted image stays fitted. */
  #about(canvas, image, change) {
    const middle = this.toImage(canvas.width / 2, canvas.height / 2, image);
    change();
    if (this.fitted) {
      this.fit(canvas, image);
      return;
    }
    const { x, y } = this.toCanvas(middle, image);
    this.x += canvas.width / 2 - x;
    this.y += canvas.height / 2 - y;
  }

  /** The scale at which the whole image just fits. */
  fitting(canvas, image) {
    const [width, height] = this.extent(image);
    return Math.min(canvas.width / width, canvas.height / height);
  }
}
