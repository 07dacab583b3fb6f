/** What is measured on an image: positions are `{row, column}` in its pixels, `display` is display.json. */

import { eachStretch } from "../viewer/rle.js";

const ROTATED = 0.3;

/** The distance of two positions: millimetres where the file gives a size to its pixels, else pixels. */
export function lengthOf([a, b], display) {
  const [down, across] = display.pixel_spacing ?? [display.pixel_aspect_ratio, 1];
  const value = Math.hypot((a.row - b.row) * down, (a.column - b.column) * across);
  return { value, unit: display.pixel_spacing === null ? "px" : "mm", source: display.pixel_spacing_source };
}

/** The angle at the middle one of three positions, in degrees from 0 to 180. */
export function angleOf([a, vertex, b], display) {
  const aspect = display.pixel_aspect_ratio;
  const arm = (end) => [(end.row - vertex.row) * aspect, end.column - vertex.column];
  const [[r1, c1], [r2, c2]] = [arm(a), arm(b)];
  return (Math.atan2(Math.abs(r1 * c2 - c1 * r2), r1 * r2 + c1 * c2) * 180) / Math.PI;
}

/** Width of the heart over that of the thorax: `[heart, heart, thorax, thorax]`, across the image. */
export function ratioOf([a, b, c, d]) {
  const thorax = Math.abs(c.column - d.column);
  return thorax === 0 ? NaN : Math.abs(a.column - b.column) / thorax;
}

/**
 * Where the cardiothoracic ratio is taken, by the masks: the heart at its outermost columns, the thorax where the
 * outer margins of the lungs lie furthest apart, inside the ribs. Null where heart or a lung has no mask.
 */
export function heartAndThorax(masks, image) {
  const of = (code) => masks.find((mask) => mask.structure === code);
  const [heart, ...lungs] = ["heart", "lung_right", "lung_left"].map(of);
  if ([heart, ...lungs].some((mask) => mask === undefined || mask.area === 0)) return null;
  const spans = rowSpans([heart], image);
  const across = [Math.min(...spans.map((span) => span.first)), Math.max(...spans.map((span) => span.last))];
  const row = middle(spans.map((span) => span.row));
  const widest = rowSpans(lungs, image).reduce((best, span) => (span.last - span.first > best.last - best.first ? span : best));
  return [
    { row, column: across[0] }, { row, column: across[1] },
    { row: widest.row, column: widest.first }, { row: widest.row, column: widest.last },
  ];
}

/**
 * Whether the patient was turned: the inner ends of the clavicles lie unequally far from the spine. Null where the
 * masks do not say.
 */
export function isRotated(masks, image) {
  const clavicles = masks.filter((mask) => mask.structure.startsWith("clavicle_") && mask.area > 0);
  const spine = masks.find((mask) => mask.structure === "spine" && mask.area > 0);
  if (clavicles.length !== 2 || spine === undefined) return null;
  const extents = clavicles.map((mask) => {
    const spans = rowSpans([mask], image);
    return { spans, first: Math.min(...spans.map((span) => span.first)), last: Math.max(...spans.map((span) => span.last)) };
  }).sort((one, other) => one.first + one.last - other.first - other.last);
  const rows = extents.flatMap(({ spans }) => spans.map((span) => span.row));
  const [top, bottom] = [Math.min(...rows), Math.max(...rows)];
  const beside = rowSpans([spine], image).filter((span) => span.row >= top && span.row <= bottom);
  if (beside.length === 0) return null;
  const midline = middle(beside.map((span) => (span.first + span.last) / 2));
  const [left, right] = [midline - extents[0].last, extents[1].first - midline];
  if (left <= 0 || right <= 0) return true;
  return Math.abs(left - right) / (left + right) > ROTATED;
}

/** First and last column of each row that the masks cover together, in pixels of the image. */
function rowSpans(masks, image) {
  const spans = new Map();
  for (const { counts, size } of masks) {
    const [down, across] = [image.rows / size[0], image.columns / size[1]];
    eachStretch(counts, size, (row, column, length) => {
      for (let at = row; at < row + length; at += 1) {
        const key = Math.round((at + 0.5) * down);
        const span = spans.get(key) ?? { row: key, first: Infinity, last: -Infinity };
        span.first = Math.min(span.first, column * across);
        span.last = Math.max(span.last, (column + 1) * across);
        spans.set(key, span);
      }
    });
  }
  return [...spans.values()];
}

function middle(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
