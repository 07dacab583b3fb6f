/** The list of outlined structures: a switch, a swatch and what is known of each; hovering lights it. */

import { make, message } from "../dom.js";

const GROUPS = ["finding", "device", "anatomy"];

function swatch(colour, isTrusted) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("viewBox", "0 0 14 14");
  svg.setAttribute("aria-hidden", "true");
  const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ x: 2, y: 2, width: 10, height: 10, fill: "none", stroke: colour, "stroke-width": 3 })) {
    box.setAttribute(name, value);
  }
  if (!isTrusted) box.setAttribute("stroke-dasharray", "3 2");
  svg.append(box);
  return svg;
}

export class StructureList extends EventTarget {
  constructor(element, light) {
    super();
    this.element = element;
    this.light = light;
    this.hidden = new Set();
    light.addEventListener("change", () => this.#mark());
  }

  /** Show these masks, one row each, findings first. */
  show(masks) {
    this.element.replaceChildren();
    const places = new Set(masks.map((mask) => mask.image));
    for (const group of GROUPS) {
      const members = masks.filter((mask) => mask.group === group);
      if (members.length === 0) continue;
      this.element.append(make("h3", "", message(`group-${group}`)));
      const list = make("ul");
      list.append(...members.map((mask) => this.#row(mask, places.size > 1)));
      this.element.append(list);
    }
    if (masks.length === 0) this.element.append(make("p", "muted", message("no-masks")));
  }

  #row(mask, isNamedByImage) {
    const row = make("li", "structure");
    row.dataset.mask = mask.id;
    const label = make("label");
    const box = make("input");
    box.type = "checkbox";
    box.checked = !this.hidden.has(mask.id);
    box.addEventListener("change", () => {
      if (box.checked) this.hidden.delete(mask.id);
      else this.hidden.add(mask.id);
      this.dispatchEvent(new Event("change"));
    });
    const view = isNamedByImage && mask.view ? ` (${mask.view})` : "";
    label.append(box, swatch(mask.colour, mask.trusted), make("span", "name", mask.name + view));
    label.append(make("span", `source ${mask.source}`, message(`source-${mask.source}`)));
    row.append(label);
    if (!mask.trusted) row.append(make("small", "untrusted", message("untrusted")));
    row.addEventListener("pointerenter", () => this.light.set({ masks: [mask.id] }));
    row.addEventListener("pointerleave", () => this.light.clear());
    row.addEventListener("focusin", () => this.light.set({ masks: [mask.id] }));
    row.addEventListener("focusout", () => this.light.clear());
    return row;
  }

  #mark() {
    for (const row of this.element.querySelectorAll(".structure")) {
      row.classList.toggle("lit", this.light.masks.has(Number(row.dataset.mask)));
    }
  }
}
