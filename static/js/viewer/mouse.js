/**
 * Pointer and wheel on one viewer. Left drag: window/level. Middle, right or Shift drag: pan. Wheel: zoom to the
 * cursor. A click that did not move picks the mask under it. Two fingers pinch and pan. While the viewer has a tool,
 * the left button alone is the tool's.
 */

const STILL_PX = 4;

export function attachMouse(viewer, { onpick = () => {}, onactive = () => {} } = {}) {
  const { canvas } = viewer;
  const pointers = new Map();
  let moved = 0;
  let isDrawing = false;
  const point = (event) => viewer.toImage(event.clientX, event.clientY);

  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button === 1) event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved = 0;
    onactive();
    if (isDrawing) viewer.tool.up();
    isDrawing = viewer.tool !== null && pointers.size === 1 && event.button === 0 && !event.shiftKey;
    if (isDrawing) viewer.tool.down(point(event), event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (last === undefined) {
      viewer.tool?.hover(point(event));
      return;
    }
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    moved += Math.abs(dx) + Math.abs(dy);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (isDrawing) {
      viewer.tool.move(point(event), event);
      return;
    }
    if (moved < STILL_PX) return;
    if (pointers.size === 2) pinch(event, last);
    else if (event.buttons & 1 && !event.shiftKey) viewer.dragWindow(dx, dy);
    else viewer.pan(dx * devicePixelRatio, dy * devicePixelRatio);
  });
  const end = (event) => {
    pointers.delete(event.pointerId);
    if (isDrawing) {
      isDrawing = false;
      viewer.tool?.up();
      return;
    }
    if (event.type === "pointerup" && event.button === 0 && moved < STILL_PX) {
      onpick(viewer.masksAt(event.clientX, event.clientY));
    }
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = viewer.toCanvas(event.clientX, event.clientY);
    viewer.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.04 : 0.0015)), x, y);
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => {
    if (viewer.tool === null) viewer.fit();
    else viewer.tool.double(event);
  });

  function pinch(event, last) {
    const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
    const before = Math.hypot(last.x - other.x, last.y - other.y);
    const now = Math.hypot(event.clientX - other.x, event.clientY - other.y);
    const middle = viewer.toCanvas((event.clientX + other.x) / 2, (event.clientY + other.y) / 2);
    if (before > 0) viewer.zoom(now / before, middle.x, middle.y);
    viewer.pan(((event.clientX - last.x) / 2) * devicePixelRatio, ((event.clientY - last.y) / 2) * devicePixelRatio);
  }
}
