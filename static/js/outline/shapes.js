/**
 * Shapes on a grid of pixels, row by row in a Uint8Array of 0 and 1. Each function changes `grid.bits` and returns the
 * box it touched, `{top, left, bottom, right}` with the last row and column left out, or null when nothing changed.
 * A point lies in the pixel it falls into: pixel (row, column) covers row..row+1, column..column+1.
 */

/** A grid of `rows` × `columns`, empty or a copy of `bits`. */
export function grid(rows, columns, bits = null) {
  return { rows, columns, bits: bits === null ? new Uint8Array(rows * columns) : Uint8Array.from(bits) };
}

/** Fill `on` (0 or 1) wherever a round brush passes on its way between two points; `radius` in pixels across, rows by `aspect`. */
export function stroke(on, { bits, rows, columns }, from, to, radius, aspect = 1) {
  const down = radius / aspect;
  const box = clip(rows, columns, {
    top: Math.floor(Math.min(from.row, to.row) - down), left: Math.floor(Math.min(from.column, to.column) - radius),
    bottom: Math.ceil(Math.max(from.row, to.row) + down), right: Math.ceil(Math.max(from.column, to.column) + radius),
  });
  const [dx, dy] = [to.column - from.column, (to.row - from.row) * aspect];
  const length = dx * dx + dy * dy;
  let touched = false;
  for (let row = box.top; row < box.bottom; row += 1) {
    const y = (row + 0.5 - from.row) * aspect;
    for (let column = box.left; column < box.right; column += 1) {
      const x = column + 0.5 - from.column;
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, (x * dx + y * dy) / length));
      const away = (x - along * dx) ** 2 + (y - along * dy) ** 2;
      const isUnder = away <= radius * radius || isAt(from, row, column) || isAt(to, row, column);
      if (!isUnder || bits[row * columns + column] === on) continue;
      bits[row * columns + column] = on;
      touched = true;
    }
  }
  return touched ? box : null;
}

/** The finest brush still paints the pixel it is on. */
const isAt = (point, row, column) => Math.floor(point.row) === row && Math.floor(point.column) === column;

/** Fill `on` inside a polygon by the even-odd rule: a pixel is inside when its middle is. */
export function polygon(on, { bits, rows, columns }, points) {
  if (points.length < 3) return null;
  const box = clip(rows, columns, {
    top: Math.floor(Math.min(...points.map((p) => p.row))), left: 0,
    bottom: Math.ceil(Math.max(...points.map((p) => p.row))), right: columns,
  });
  let touched = false;
  for (let row = box.top; row < box.bottom; row += 1) {
    const y = row + 0.5;
    const crossings = [];
    points.forEach((a, i) => {
      const b = points[(i + 1) % points.length];
      if (a.row <= y === b.row <= y) return;
      crossings.push(a.column + ((y - a.row) * (b.column - a.column)) / (b.row - a.row));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const first = Math.max(0, Math.ceil(crossings[i] - 0.5));
      const last = Math.min(columns, Math.ceil(crossings[i + 1] - 0.5));
      for (let column = first; column < last; column += 1) {
        if (bits[row * columns + column] === on) continue;
        bits[row * columns + column] = on;
        touched = true;
      }
    }
  }
  return touched ? box : null;
}

/** Move everything by whole pixels; what leaves the grid is gone. */
export function move(target, rowsDown, columnsRight) {
  const { rows, columns } = target;
  const from = extent(target);
  if ((rowsDown === 0 && columnsRight === 0) || isEmpty(from)) return null;
  const part = cut(target, from);
  const to = {
    top: from.top + rowsDown, left: from.left + columnsRight,
    bottom: from.bottom + rowsDown, right: from.right + columnsRight,
  };
  fill(target, from, 0);
  const seen = clip(rows, columns, to);
  for (let row = seen.top; row < seen.bottom && seen.left < seen.right; row += 1) {
    const at = (row - to.top) * part.columns - to.left;
    target.bits.set(part.bits.subarray(at + seen.left, at + seen.right), row * columns + seen.left);
  }
  return clip(rows, columns, around(from, to));
}

/** The smallest box around two. */
export function around(one, other) {
  return {
    top: Math.min(one.top, other.top), left: Math.min(one.left, other.left),
    bottom: Math.max(one.bottom, other.bottom), right: Math.max(one.right, other.right),
  };
}

/** Fill every hole: background that no path along rows and columns joins to the edge of the grid. */
export function fillHoles(target) {
  const box = extent(target);
  if (isEmpty(box)) return null;
  const part = cut(target, box); // a hole never reaches over the box of what is around it
  const outside = new Uint8Array(part.bits.length);
  const seeds = [];
  for (let column = 0; column < part.columns; column += 1) seeds.push(column, (part.rows - 1) * part.columns + column);
  for (let row = 0; row < part.rows; row += 1) seeds.push(row * part.columns, (row + 1) * part.columns - 1);
  flood(part, seeds, (at) => part.bits[at] === 0 && outside[at] === 0, (at) => { outside[at] = 1; });
  let touched = false;
  for (let at = 0; at < outside.length; at += 1) {
    if (part.bits[at] === 1 || outside[at] === 1) continue;
    const [row, column] = [Math.floor(at / part.columns), at % part.columns];
    target.bits[(box.top + row) * target.columns + box.left + column] = 1;
    touched = true;
  }
  return touched ? box : null;
}

/** Take away the piece at a point: pixels joined along rows and columns. */
export function removePiece(target, point) {
  const { bits } = target;
  const start = indexOf(target, point);
  if (start === -1 || bits[start] === 0) return null;
  flood(target, [start], (at) => bits[at] === 1, (at) => { bits[at] = 0; });
  return whole(target);
}

/** Keep only the piece at a point. */
export function keepPiece(target, point) {
  const { bits } = target;
  const start = indexOf(target, point);
  if (start === -1 || bits[start] === 0) return null;
  const kept = new Uint8Array(bits.length);
  flood(target, [start], (at) => bits[at] === 1 && kept[at] === 0, (at) => { kept[at] = 1; });
  const isSame = bits.every((value, at) => value === kept[at]);
  bits.set(kept);
  return isSame ? null : whole(target);
}

/** Take away everything. */
export function clear(target) {
  if (!target.bits.includes(1)) return null;
  target.bits.fill(0);
  return whole(target);
}

/** How many pixels are inside. */
export function area({ bits }) {
  let count = 0;
  for (const value of bits) count += value;
  return count;
}

/** The smallest box around what is inside; one of no height and width where nothing is. */
export function extent({ bits, rows, columns }) {
  const first = bits.indexOf(1);
  if (first === -1) return { top: 0, left: 0, bottom: 0, right: 0 };
  const [top, bottom] = [Math.floor(first / columns), Math.floor(bits.lastIndexOf(1) / columns) + 1];
  let [left, right] = [columns, 0];
  for (let row = top; row < bottom; row += 1) {
    const line = bits.subarray(row * columns, (row + 1) * columns);
    const start = line.indexOf(1);
    if (start === -1) continue;
    left = Math.min(left, start);
    right = Math.max(right, line.lastIndexOf(1) + 1);
  }
  return { top, left, bottom, right };
}

const isEmpty = (box) => box.top >= box.bottom || box.left >= box.right;

/** A box of a grid as a grid of its own. */
function cut({ bits, columns }, box) {
  const part = grid(box.bottom - box.top, box.right - box.left);
  for (let row = 0; row < part.rows; row += 1) {
    const at = (box.top + row) * columns;
    part.bits.set(bits.subarray(at + box.left, at + box.right), row * part.columns);
  }
  return part;
}

function fill({ bits, columns }, box, value) {
  for (let row = box.top; row < box.bottom; row += 1) {
    bits.fill(value, row * columns + box.left, row * columns + box.right);
  }
}

/** The box of the whole grid. */
export function whole({ rows, columns }) {
  return { top: 0, left: 0, bottom: rows, right: columns };
}

function flood({ rows, columns }, seeds, isOpen, take) {
  const stack = [];
  const visit = (at) => {
    if (!isOpen(at)) return;
    take(at);
    stack.push(at);
  };
  seeds.forEach(visit);
  while (stack.length > 0) {
    const at = stack.pop();
    const column = at % columns;
    if (column > 0) visit(at - 1);
    if (column < columns - 1) visit(at + 1);
    if (at >= columns) visit(at - columns);
    if (at < (rows - 1) * columns) visit(at + columns);
  }
}

function indexOf({ rows, columns }, point) {
  const [row, column] = [Math.floor(point.row), Math.floor(point.column)];
  return row < 0 || column < 0 || row >= rows || column >= columns ? -1 : row * columns + column;
}

function clip(rows, columns, box) {
  return {
    top: Math.max(0, box.top), left: Math.max(0, box.left),
    bottom: Math.min(rows, box.bottom), right: Math.min(columns, box.right),
  };
}
