/** Pixels to COCO run-length encoding, as pycocotools writes it: the other way is in `viewer/rle.js`. */

import { extent } from "./shapes.js";

/** The counts of a mask given as `decode` returns it: the one way in which no run but the first is empty. */
export function encode(mask, [rows, columns]) {
  const lengths = [];
  let inside = 0;
  let since = 0;
  const turn = (value, position) => {
    if (value === inside) return;
    lengths.push(position - since);
    since = position;
    inside = value;
  };
  const box = extent({ bits: mask, rows, columns });
  for (let column = box.left; column < box.right; column += 1) {
    const first = column * rows;
    if (box.top > 0) turn(0, first);
    for (let row = box.top, at = row * columns + column; row < box.bottom; row += 1, at += columns) {
      if (mask[at] !== inside) turn(mask[at], first + row);
    }
    if (box.bottom < rows) turn(0, first + box.bottom);
  }
  if (box.right < columns) turn(0, box.right * rows);
  lengths.push(rows * columns - since);
  return lengths.map((run, place) => written(place > 2 ? run - lengths[place - 2] : run)).join("");
}

/** A number in characters of five bits, the lowest first; the sixth bit says that more follow. */
function written(number) {
  let text = "";
  let left = number;
  let more = true;
  while (more) {
    const code = left & 0x1f;
    left >>= 5;
    more = left !== ((code & 0x10) === 0 ? 0 : -1);
    text += String.fromCharCode(48 + (more ? code | 0x20 : code));
  }
  return text;
}
