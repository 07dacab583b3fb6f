/** Image data as the server prepares it (see inference.imaging.pixels): fetched, inflated and put together. */

const TABLE = 65_536;

/** Thrown with the HTTP status when the server does not give what was asked. */
export class LoadError extends Error {
  constructor(name, status) {
    super(`${name}: ${status}`);
    this.status = status;
  }
}

async function fetchOk(url) {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok || response.redirected) throw new LoadError(url, response.status);
  return response;
}

/** Little-endian uint16 values of a gzip file. */
async function fetchUint16(url) {
  const response = await fetchOk(url);
  const stream = response.body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint16Array(await new Response(stream).arrayBuffer());
}

/** Undo horizontal differences modulo 65,536, in place. The first column holds values as they are. */
export function undoDifferences(values, rows, columns) {
  for (let row = 0; row < rows; row += 1) {
    let index = row * columns;
    let value = values[index];
    for (let column = 1; column < columns; column += 1) {
      index += 1;
      value = (value + values[index]) & 0xffff;
      values[index] = value;
    }
  }
  return values;
}

/** What there is of an image, in the order in which it is needed. */
export const NAMES = ["display.json", "table.bin", "preview.bin", "full.bin"];

/** The address of one prepared file; its version makes it safe to cache for good. */
export const address = ({ base, version }, name) => `${base}${name}?v=${encodeURIComponent(version)}`;

async function fetchLevel(url, rows, columns) {
  const values = await fetchUint16(url);
  if (values.length !== rows * columns) throw new LoadError(url, `${values.length} != ${rows}x${columns}`);
  return { values: undoDifferences(values, rows, columns), rows, columns };
}

/**
 * `source` is `{base, version}`. What display.json says, with the tables (each 65,536 uint16, value to gray) of the first
 * window and of every further VOI LUT, and the small first level.
 */
export async function loadFirst(source) {
  const [display, content] = await Promise.all([
    fetchOk(address(source, "display.json")).then((response) => response.json()),
    fetchUint16(address(source, "table.bin")),
  ]);
  const preview = await fetchLevel(address(source, "preview.bin"), display.preview_rows, display.preview_columns);
  const tables = [];
  for (let at = 0; at < content.length; at += TABLE) tables.push(content.subarray(at, at + TABLE));
  return { display, tables, preview };
}

/** Every pixel of the image. */
export function loadFull(source, display) {
  return fetchLevel(address(source, "full.bin"), display.rows, display.columns);
}
