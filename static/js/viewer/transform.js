/** Where the image lies on the canvas: device pixels = offset + scale × image pixels. */

const MOST = 16;

/** The scale at which the whole image just fits; `aspect` is a pixel's height divided by its width. */
const fitting = (canvas, image) =>
  Math.min(canvas.width / image.columns, canvas.height / (image.rows * image.aspect));

export class Transform {
  constructor() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.fitted = true;
  }

  /** The whole image, centred. */
  fit(canvas, image) {
    this.scale = fitting(canvas, image);
    this.fitted = true;
    this.#centre(canvas, image);
  }

  /** One image pixel on one screen pixel, around the middle of what is seen. */
  oneToOne(canvas, image) {
    this.zoom(1 / this.scale, canvas.width / 2, canvas.height / 2, canvas, image);
    this.x = Math.round(this.x);
    this.y = Math.round(this.y);
  }

  /** Zoom about a canvas position, which keeps its place. */
  zoom(factor, x, y, canvas, image) {
    const least = Math.min(1, 0.5 * fitting(canvas, image));
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

  /** Image position `{row, column}` under a canvas position. */
  toImage(x, y, image) {
    return { row: (y - this.y) / (this.scale * image.aspect), column: (x - this.x) / this.scale };
  }

  #centre(canvas, image) {
    this.x = Math.round((canvas.width - image.columns * this.scale) / 2);
    this.y = Math.round((canvas.height - image.rows * image.aspect * this.scale) / 2);
  }
}
