/** COCO run-length encoding (column-major, compressed ASCII), as pycocotools writes it. */

/** Run lengths of a compressed string, background first. */
export function runs(counts) {
  const lengths = [];
  let at = 0;
  while (at < counts.length) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more) {
      const code = counts.charCodeAt(at) - 48;
      if (Number.isNaN(code) || code < 0 || code > 63) throw new RangeError(`run-length character at ${at}`);
      value |= (code & 0x1f) << (5 * shift);
      more = (code & 0x20) !== 0;
      at += 1;
      shift += 1;
      if (!more && (code & 0x10) !== 0) value |= -1 << (5 * shift);
    }
    if (lengths.length > 2) value += lengths[lengths.length - 2];
    lengths.push(value);
  }
  return lengths;
}

/** Call `paint(row, column, length)` for each vertical stretch inside the mask. */
export function eachStretch(counts, [rows, columns], paint) {
  let position = 0;
  let inside = false;
  for (const length of runs(counts)) {
    if (length < 0 || position + length > rows * columns) throw new RangeError(`run of ${length} at ${position}`);
    let left = inside ? length : 0;
    let start = position;
    while (left > 0) {
      const row = start % rows;
      const part = Math.min(left, rows - row);
      paint(row, Math.floor(start / rows), part);
      start += part;
      left -= part;
    }
    position += length;
    inside = !inside;
  }
  if (position !== rows * columns) throw new RangeError(`runs cover ${position} of ${rows * columns} pixels`);
}

/** A mask as bytes of 0 and 1, row by row. */
export function decode(counts, size) {
  const [rows, columns] = size;
  const mask = new Uint8Array(rows * columns);
  eachStretch(counts, size, (row, column, length) => {
    for (let i = 0; i < length; i += 1) mask[(row + i) * columns + column] = 1;
  });
  return mask;
}
