/** Drawing an outline while it changes: its bits in the viewer's packed masks, and the rows of the graphics processor. */

const BITS = 32; // as in viewer/masks.js: bit b of layer l is mask 32 l + b

/** Draw one of a viewer's masks as `grid` has it, inside a box that changed. */
export function paint(viewer, id, grid, box) {
  const { packed, renderer } = viewer;
  const index = packed.masks.findIndex((mask) => mask.id === id);
  renderer.patchMasks(packed, repaint(packed, index, grid, box), box);
  viewer.draw();
}

/** Set the bits of one mask anew inside a box, from a grid of 0 and 1; returns the layer they lie in. */
function repaint(packed, index, { bits }, { top, left, bottom, right }) {
  const depth = Math.floor(index / BITS);
  const layer = packed.layers[depth];
  const bit = (1 << index % BITS) >>> 0;
  for (let row = top; row < bottom; row += 1) {
    for (let at = row * packed.columns + left, end = row * packed.columns + right; at < end; at += 1) {
      if (bits[at] === 1) layer[at] |= bit;
      else layer[at] &= ~bit;
    }
  }
  return depth;
}
