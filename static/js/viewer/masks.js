/**
 * The masks of one image, packed for drawing: bit b of layer l is mask 32 l + b. Overlapping masks keep their own
 * bits, so each has its own colour, outline and switch.
 */

import { eachStretch } from "./rle.js";

const BITS = 32;

/** `{layers, rows, columns, masks}`; layers are Uint32Array, row by row. Null when there is no mask. */
export function pack(masks) {
  if (masks.length === 0) return null;
  const [rows, columns] = masks[0].size;
  const layers = Array.from({ length: Math.ceil(masks.length / BITS) }, () => new Uint32Array(rows * columns));
  masks.forEach((mask, index) => {
    if (mask.size[0] !== rows || mask.size[1] !== columns) throw new RangeError(`mask ${mask.id}: size`);
    const layer = layers[Math.floor(index / BITS)];
    const bit = (1 << index % BITS) >>> 0;
    eachStretch(mask.counts, mask.size, (row, column, length) => {
      for (let i = row * columns + column, n = 0; n < length; i += columns, n += 1) layer[i] |= bit;
    });
  });
  return { layers, rows, columns, masks };
}

/** Masks at an image position, smallest area first: what a click means. */
export function at(packed, row, column) {
  if (packed === null || row < 0 || column < 0 || row >= packed.rows || column >= packed.columns) return [];
  const index = Math.floor(row) * packed.columns + Math.floor(column);
  return packed.masks.filter((_, i) => (packed.layers[Math.floor(i / BITS)][index] >>> i % BITS) & 1);
}

function rgb(colour) {
  const number = Number.parseInt(colour.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/** Whether a mask is drawn now: what rests only while it is lit. */
export function isShown(mask, look) {
  return look.on && !look.hidden.has(mask.id) && (!look.resting.has(mask.id) || look.lit.has(mask.id));
}

/**
 * How each mask is drawn now, as two rows of RGBA bytes: (r, g, b, shown) and (fill opacity, outline opacity,
 * outline width in tenths of a pixel, dashed). `look` is `{on, filled, opacity, hidden:Set, resting:Set, lit:Set}`.
 */
export function styles(masks, look) {
  const count = masks.length;
  const bytes = new Uint8Array(count * 8);
  masks.forEach((mask, index) => {
    const isLit = look.lit.has(mask.id);
    const isDim = look.lit.size > 0 && !isLit;
    const fill = (look.filled ? 0.3 : 0) + (isLit ? 0.22 : 0);
    const line = isDim ? 0.35 : 1;
    bytes.set([...rgb(mask.colour), isShown(mask, look) ? 255 : 0], index * 4);
    bytes.set(
      [255 * fill * look.opacity * line, 255 * look.opacity * line, isLit ? 26 : 15, mask.trusted ? 0 : 255],
      (count + index) * 4,
    );
  });
  return bytes;
}
