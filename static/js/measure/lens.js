/** The magnifier: a round window beside nothing, right over the pointer, that shows the image itself larger. */

const RADIUS_PX = 140;
const LARGER = 2.5;

export class Lens {
  constructor(active) {
    this.active = active;
    this.viewer = null;
    this.pointer = null;
    addEventListener("pointermove", (event) => {
      this.pointer = event;
      if (this.viewer !== null) this.viewer.draw();
    }, { passive: true });
    addEventListener("blur", () => this.hide()); // the key may be let go elsewhere
    this.draw = () => this.#draw();
  }

  show() {
    const viewer = this.active();
    if (this.viewer !== null || !viewer?.isReady) return;
    this.viewer = viewer;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "lens";
    viewer.figure.append(this.canvas);
    viewer.addEventListener("drawn", this.draw);
    viewer.draw();
  }

  hide() {
    this.viewer?.removeEventListener("drawn", this.draw);
    this.canvas?.remove();
    this.viewer = null;
  }

  /** Draw the image larger, copy what is under the lens, and draw it as it was: all before it is on screen. */
  #draw() {
    const { viewer, canvas, pointer } = this;
    if (pointer === null) return;
    const radius = Math.round(RADIUS_PX * devicePixelRatio);
    const box = viewer.canvas.getBoundingClientRect();
    const { x, y } = viewer.toCanvas(pointer.clientX, pointer.clientY);
    canvas.width = 2 * radius;
    canvas.height = 2 * radius;
    Object.assign(canvas.style, {
      left: `${pointer.clientX - box.left - RADIUS_PX}px`,
      top: `${pointer.clientY - box.top - RADIUS_PX}px`,
      width: `${2 * RADIUS_PX}px`,
    });
    const larger = Object.assign(Object.create(Object.getPrototypeOf(viewer.transform)), viewer.transform);
    larger.scale *= LARGER;
    // The point under the pointer goes to the middle of the canvas, where there is most room around it.
    larger.x = viewer.canvas.width / 2 - (x - viewer.transform.x) * LARGER;
    larger.y = viewer.canvas.height / 2 - (y - viewer.transform.y) * LARGER;
    viewer.renderer.draw(larger, viewer.image);
    const context = canvas.getContext("2d");
    const [left, top] = [Math.round(viewer.canvas.width / 2) - radius, Math.round(viewer.canvas.height / 2) - radius];
    context.drawImage(viewer.canvas, left, top, 2 * radius, 2 * radius, 0, 0, 2 * radius, 2 * radius);
    viewer.renderer.draw(viewer.transform, viewer.image);
  }
}
