/**
 * What the pointer does to an outline: each tool has `down`, `move`, `up` and, where it needs them, `hover`, `double`
 * and `enter`, all given the position in the image. `session` is the outline being corrected.
 */

import { around, extent, keepPiece, move, polygon, removePiece, stroke } from "./shapes.js";

const CLOSE_PX = 10;

class Pen {
  constructor(session, name, on) {
    Object.assign(this, { session, name, on });
  }

  down(point) {
    this.last = point;
    this.move(point);
  }

  move(point) {
    const { grid, radius, aspect } = this.session;
    this.session.changed(stroke(this.on, grid, this.last, point, radius, aspect));
    this.last = point;
  }

  up() {
    this.session.did(this.name);
  }
}

class Mover {
  constructor(session) {
    this.session = session;
  }

  down(point) {
    const { grid } = this.session;
    this.from = point;
    this.before = { ...grid, bits: grid.bits.slice() };
    this.box = extent(grid);
  }

  /** From where it was at first: what left the image on the way may come back. */
  move(point) {
    const { grid } = this.session;
    grid.bits.set(this.before.bits);
    const moved = move(grid, Math.round(point.row - this.from.row), Math.round(point.column - this.from.column));
    const box = moved ?? extent(grid);
    this.session.changed(around(this.box, box));
    this.box = box;
  }

  up() {
    this.session.did("move");
  }
}

/** Corners by clicks; a double click, Enter or a click on the first corner closes it. With Alt it cuts away. */
class PolygonTool {
  points = [];

  constructor(session) {
    this.session = session;
  }

  down(point, event) {
    const [first] = this.points;
    if (this.points.length > 2 && this.session.distance(first, point) < CLOSE_PX) this.enter(event);
    else this.points.push(point);
    this.session.preview(this.points);
  }

  move(point) {
    this.hover(point);
  }

  up() {}

  hover(point) {
    if (this.points.length > 0) this.session.preview([...this.points, point]);
  }

  double(event) {
    this.points.pop(); // the second click of two put the last corner twice
    this.enter(event);
  }

  enter(event) {
    const on = event.altKey ? 0 : 1;
    this.session.changed(polygon(on, this.session.grid, this.points));
    this.session.did(on === 1 ? "polygon" : "polygon-cut");
    this.leave();
  }

  /** Forget the corners; whether there were any. */
  leave() {
    const had = this.points.length > 0;
    this.points = [];
    this.session.preview([]);
    return had;
  }
}

class Piece {
  constructor(session, name, act) {
    Object.assign(this, { session, name, act });
  }

  down(point) {
    this.session.changed(this.act(this.session.grid, point));
    this.session.did(this.name);
  }

  move() {}

  up() {}
}

/** A tool by the name of its button. */
export const TOOLS = {
  brush: (session) => new Pen(session, "brush", 1),
  eraser: (session) => new Pen(session, "eraser", 0),
  polygon: (session) => new PolygonTool(session),
  move: (session) => new Mover(session),
  "remove-piece": (session) => new Piece(session, "remove-piece", removePiece),
  "keep-piece": (session) => new Piece(session, "keep-piece", keepPiece),
};
