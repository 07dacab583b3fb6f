/** Pixels to COCO run-length encoding, as pycocotools writes it: the other way is in `viewer/rle.js`. */

/** The counts of a mask given as `decode` returns it: the one way in which no run but the first is empty. */
export function encode(mask, [rows, columns]) {
  const lengths = [];
  let inside = 0;
  let length = 0;
  for (let column = 0; column < columns; column += 1) {
    for (let at = column, end = rows * columns; at < end; at += columns) {
      if (mask[at] === inside) {
        length += 1;
        continue;
      }
      lengths.push(length);
      inside = mask[at];
      length = 1;
    }
  }
  lengths.push(length);
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
