/** Window/level as tables: 65,536 stored values to 65,536 grays, by PS3.3 C.11.2.1.2 and C.11.2.1.3. */

const SIZE = 65_536;
const WHITE = 65_535;

function linear(center, width) {
  if (width <= 1) return (x) => (x > center - 0.5 ? 1 : 0);
  return (x) => Math.min(1, Math.max(0, (x - (center - 0.5)) / (width - 1) + 0.5));
}

function linearExact(center, width) {
  return (x) => Math.min(1, Math.max(0, (x - center) / width + 0.5));
}

function sigmoid(center, width) {
  return (x) => 1 / (1 + Math.exp((-4 * (x - center)) / width));
}

const FUNCTIONS = { LINEAR: linear, LINEAR_EXACT: linearExact, SIGMOID: sigmoid };

/** The table of a window in modality units; `display` gives slope, intercept, polarity and padding. */
export function windowTable(display, { center, width, function: name = "LINEAR" }) {
  const gray = (FUNCTIONS[name] ?? linear)(center, width);
  const table = new Uint16Array(SIZE);
  for (let value = 0; value < SIZE; value += 1) {
    const level = gray(value * display.value_slope + display.value_intercept);
    const shown = Math.floor(level * WHITE + 0.5);
    table[value] = display.invert ? WHITE - shown : shown;
  }
  return blacken(table, display.padding);
}

/** Padding is background, whatever the window: black. */
function blacken(table, padding) {
  if (padding) table.fill(0, Math.max(0, padding[0]), Math.min(SIZE, padding[1] + 1));
  return table;
}

/** The same look with black and white exchanged; padding stays black. */
export function invertTable(table, padding) {
  return blacken(table.map((gray) => WHITE - gray), padding);
}

/** A window stays legal: LINEAR needs a width of 1 at least. */
export function clampWindow(window) {
  return { ...window, width: Math.max(1, window.width) };
}

/**
 * Windows a chest reader asks for, made from the first window of the image: soft tissue as given, lung wider and
 * lower in density, bone narrower and higher.
 */
export function chestPresets(display) {
  const [first] = display.windows;
  const denser = display.invert ? -1 : 1;
  const shifted = (name, share, factor) => ({
    name,
    center: first.center + denser * share * first.width,
    width: first.width * factor,
    function: "LINEAR",
  });
  return [shifted("lung", -0.15, 0.7), shifted("mediastinum", 0.2, 0.6), shifted("bone", 0.1, 0.35)];
}
