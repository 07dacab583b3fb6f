/**
 * Draws without WebGL, the same way: values are sampled once per move, so that a window change is one look-up per
 * screen pixel.
 */

const DASH = 10;
/** In place of a value, outside the image; its shade comes after those of the values. */
const OUTSIDE = 65_536;
const BLACK = 0xff000000;

export class CanvasRenderer {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.masks = null;
    this.styles = new Uint8Array(0);
    this.sampledFor = "";
    this.overlaidFor = "";
    this.version = { level: 0, masks: 0 };
  }

  onrestored = () => {};

  holds() {
    return true;
  }

  setLevel(level) {
    this.level = level;
    this.version.level += 1;
  }

  setTable(table) {
    this.shades = new Uint32Array(OUTSIDE + 1).fill(BLACK);
    for (let value = 0; value < OUTSIDE; value += 1) this.shades[value] = BLACK | ((table[value] >> 8) * 0x010101);
  }

  setMasks(packed) {
    this.masks = packed;
    this.version.masks += 1;
  }

  patchMasks() {
    this.version.masks += 1;
  }

  setStyles(bytes) {
    this.styles = bytes;
    this.version.masks += 1;
  }

  draw(transform, image) {
    const { width, height } = this.canvas;
    const matrix = transform.toImageMatrix(image);
    const place = [width, height, ...matrix].join();
    if (this.sampledFor !== `${place}/${this.version.level}`) {
      this.#sample(matrix, transform.scale, image);
      this.sampledFor = `${place}/${this.version.level}`;
    }
    const { pixels, sampled, shades } = this;
    const out = new Uint32Array(pixels.data.buffer);
    for (let i = 0; i < out.length; i += 1) out[i] = shades[sampled[i]];
    if (this.masks !== null) this.#overlay(matrix, transform.scale, image, place);
    this.context.putImageData(pixels, 0, 0);
  }

  #sample([a, b, c, d, e, f], scale, image) {
    const { width, height } = this.canvas;
    const { values, rows, columns } = this.level;
    if (this.pixels?.width !== width || this.pixels?.height !== height) {
      this.pixels = new ImageData(width, height);
      this.sampled = new Int32Array(width * height);
    }
    const [across, down] = [columns / image.columns, rows / image.rows];
    const step = { x: across / scale, y: down / (scale * image.aspect) };
    const one = Math.max(step.x, step.y) > 1.0001 ? average(values, rows, columns, step) : interpolate(values, rows, columns);
    for (let y = 0, i = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1, i += 1) {
        const u = (a * (x + 0.5) + b * (y + 0.5) + c) * across;
        const v = (d * (x + 0.5) + e * (y + 0.5) + f) * down;
        this.sampled[i] = u < 0 || v < 0 || u >= columns || v >= rows ? OUTSIDE : one(u, v);
      }
    }
  }

  #overlay(matrix, scale, image, place) {
    const key = `${place}/${this.version.masks}`;
    if (this.overlaidFor !== key) {
      this.layer = paintOverlay(this.canvas, matrix, scale, image, this.masks, this.styles);
      // Outlines cover few pixels: those alone are gone through when the window changes.
      const covered = [];
      for (let i = 0; i < this.layer.length; i += 4) if (this.layer[i + 3] > 0) covered.push(i);
      this.covered = Int32Array.from(covered);
      this.overlaidFor = key;
    }
    const { data } = this.pixels;
    const { layer } = this;
    for (const i of this.covered) {
      const part = layer[i + 3] / 255;
      for (let c = 0; c < 3; c += 1) data[i + c] += (layer[i + c] - data[i + c]) * part;
    }
  }
}

function average(values, rows, columns, step) {
  const n = Math.min(Math.ceil(Math.max(step.x, step.y)), 8);
  return (u, v) => {
    let total = 0;
    for (let i = 0; i < n; i += 1) {
      const row = clamp(Math.floor(v + ((i + 0.5) / n - 0.5) * step.y), rows);
      for (let j = 0; j < n; j += 1) {
        total += values[row * columns + clamp(Math.floor(u + ((j + 0.5) / n - 0.5) * step.x), columns)];
      }
    }
    return Math.floor(total / (n * n) + 0.5);
  };
}

function interpolate(values, rows, columns) {
  return (u, v) => {
    const x = Math.floor(u - 0.5);
    const y = Math.floor(v - 0.5);
    const [a, b] = [u - 0.5 - x, v - 0.5 - y];
    const [x0, x1, y0, y1] = [clamp(x, columns), clamp(x + 1, columns), clamp(y, rows), clamp(y + 1, rows)];
    const top = values[y0 * columns + x0] * (1 - a) + values[y0 * columns + x1] * a;
    const bottom = values[y1 * columns + x0] * (1 - a) + values[y1 * columns + x1] * a;
    return Math.floor(top * (1 - b) + bottom * b + 0.5);
  };
}

function clamp(index, size) {
  return Math.min(Math.max(index, 0), size - 1);
}

/** The masks as premixed RGBA bytes of the canvas: the later mask over the earlier. */
function paintOverlay(canvas, [a, b, c, d, e, f], scale, image, packed, styles) {
  const { width, height } = canvas;
  const { rows, columns, masks, layers } = packed;
  const [across, down] = [columns / image.columns, rows / image.rows];
  const line = { x: (devicePixelRatio * across) / scale, y: (devicePixelRatio * down) / (scale * image.aspect) };
  const bytes = new Uint8ClampedArray(width * height * 4);
  layers.forEach((layer, depth) => {
    const drawn = visible(masks.length, depth, styles);
    const bits = (u, v) => (u < 0 || v < 0 || u >= columns || v >= rows ? 0 : layer[Math.floor(v) * columns + Math.floor(u)]);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const u = (a * (x + 0.5) + b * (y + 0.5) + c) * across;
        const v = (d * (x + 0.5) + e * (y + 0.5) + f) * down;
        const inside = bits(u, v) & drawn;
        if (inside === 0) continue;
        const thin = eroded(bits, u, v, 1.5, line);
        const thick = eroded(bits, u, v, 2.6, line);
        const dash = (x + height - y) % DASH < DASH / 2;
        for (let bit = 0; bit < 32 && depth * 32 + bit < masks.length; bit += 1) {
          if (((inside >>> bit) & 1) === 0) continue;
          const index = depth * 32 + bit;
          blend(bytes, (y * width + x) * 4, styles, index, masks.length, { thin, thick, bit, dash });
        }
      }
    }
  });
  return bytes;
}

/** The bits of a layer whose masks are drawn at all. */
function visible(count, depth, styles) {
  let drawn = 0;
  for (let b = 0; b < 32 && depth * 32 + b < count; b += 1) {
    if (styles[(depth * 32 + b) * 4 + 3] !== 0) drawn |= 1 << b;
  }
  return drawn;
}

function eroded(bits, u, v, reach, line) {
  let all = ~0;
  for (let i = 0; i < 8; i += 1) {
    all &= bits(u + reach * line.x * Math.cos((i * Math.PI) / 4), v + reach * line.y * Math.sin((i * Math.PI) / 4));
  }
  return all;
}

function blend(bytes, at, styles, index, count, { thin, thick, bit, dash }) {
  if (styles[index * 4 + 3] === 0) return;
  const how = (count + index) * 4;
  const core = styles[how + 2] > 20 ? thick : thin;
  const isEdge = ((core >>> bit) & 1) === 0 && (styles[how + 3] === 0 || dash);
  const part = styles[how + (isEdge ? 1 : 0)] / 255;
  const under = (bytes[at + 3] / 255) * (1 - part);
  const alpha = part + under;
  if (alpha === 0) return;
  for (let c = 0; c < 3; c += 1) {
    bytes[at + c] = (styles[index * 4 + c] * part + bytes[at + c] * under) / alpha;
  }
  bytes[at + 3] = 255 * alpha;
}
