/** Named steps that can be undone and done again, bit by bit: each keeps the outline as it was after it. */

import { decode } from "../viewer/rle.js";
import { encode } from "./encode.js";

const MOST = 200;

export class Steps {
  #kept;
  #at = 0;

  /** `grid` is what the steps change; `name` says what it was before the first. */
  constructor(grid, name) {
    this.grid = grid;
    this.#kept = [{ name, counts: this.#counts() }];
  }

  #counts() {
    return encode(this.grid.bits, [this.grid.rows, this.grid.columns]);
  }

  /** Note the grid as it is now, under the name of what was done; steps that were undone are gone. Where no pixel
   * changed there is no step. */
  did(name) {
    const counts = this.#counts();
    if (counts === this.counts) return;
    this.#kept.splice(this.#at + 1, Infinity, { name, counts });
    if (this.#kept.length > MOST) this.#kept.splice(1, 1);
    this.#at = this.#kept.length - 1;
  }

  /** The name of what `undo` takes back and of what `redo` does again; null where there is nothing. */
  get undoes() {
    return this.#at > 0 ? this.#kept[this.#at].name : null;
  }

  get redoes() {
    return this.#kept[this.#at + 1]?.name ?? null;
  }

  get counts() {
    return this.#kept[this.#at].counts;
  }

  /** Whether the outline is another than the one before the first step. */
  get isChanged() {
    return this.counts !== this.#kept[0].counts;
  }

  undo() {
    return this.#go(this.#at - 1);
  }

  redo() {
    return this.#go(this.#at + 1);
  }

  #go(to) {
    if (this.#kept[to] === undefined) return false;
    this.#at = to;
    this.grid.bits.set(decode(this.counts, [this.grid.rows, this.grid.columns]));
    return true;
  }
}
