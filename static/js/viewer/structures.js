/**
 * The list of outlined structures: a switch, a swatch and what is known of each; hovering lights it. A group has a
 * switch too. Landmarks come last, folded and off: they are drawn when switched on, or while lit.
 */

import { make, message } from "../dom.js";

const GROUPS = ["finding", "device", "anatomy", "landmark"];

const groupOf = (mask) => (mask.quiet ? "landmark" : mask.group);

/** A structure of an image keeps its switch when a newer draft outlines it anew. */
const keyOf = (mask) => `${mask.image} ${mask.structure}`;

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
  /** What a viewer's look needs: ids that are not drawn, and ids that are drawn only while lit. */
  hidden = new Set();
  resting = new Set();

  #chosen = new Map();
  #isUnfolded = false;

  constructor(element, light) {
    super();
    this.element = element;
    this.light = light;
    light.addEventListener("change", () => this.#mark());
  }

  /** Show these masks, one row each, findings first. */
  show(masks) {
    this.element.replaceChildren();
    this.hidden.clear();
    this.resting.clear();
    const places = new Set(masks.map((mask) => mask.image));
    for (const group of GROUPS) {
      const members = masks.filter((mask) => groupOf(mask) === group);
      if (members.length > 0) this.element.append(...this.#group(group, members, places.size > 1));
    }
    if (masks.length === 0) this.element.append(make("p", "muted", message("no-masks")));
    this.dispatchEvent(new Event("change"));
  }

  #group(group, members, isNamedByImage) {
    const all = make("input");
    all.type = "checkbox";
    all.title = message("switch-group");
    const rows = members.map((mask) => this.#row(mask, isNamedByImage));
    const boxes = rows.map((row) => row.querySelector("input"));
    const tell = () => {
      const on = boxes.filter((box) => box.checked).length;
      all.checked = on === boxes.length;
      all.indeterminate = on > 0 && on < boxes.length;
    };
    all.addEventListener("change", () => {
      members.forEach((mask, i) => {
        boxes[i].checked = all.checked;
        this.#choose(mask, all.checked);
      });
      this.dispatchEvent(new Event("change"));
    });
    members.forEach((mask, i) => boxes[i].addEventListener("change", () => {
      this.#choose(mask, boxes[i].checked);
      tell();
      this.dispatchEvent(new Event("change"));
    }));
    tell();
    const label = make("label");
    label.append(all, message(`group-${group}`));
    const heading = make("h3");
    heading.append(label);
    const list = make("ul");
    list.append(...rows);
    return [heading, group === "landmark" ? this.#fold(list) : list];
  }

  #fold(list) {
    const fold = make("details");
    fold.open = this.#isUnfolded;
    fold.addEventListener("toggle", () => { this.#isUnfolded = fold.open; });
    fold.append(make("summary", "muted", message("fold-landmark", { count: list.children.length })), list);
    return fold;
  }

  #choose(mask, isOn) {
    this.#chosen.set(keyOf(mask), isOn);
    this.#apply(mask, isOn);
  }

  #apply(mask, isOn) {
    const off = mask.quiet ? this.resting : this.hidden;
    if (isOn) off.delete(mask.id);
    else off.add(mask.id);
  }

  #row(mask, isNamedByImage) {
    const row = make("li", "structure");
    row.dataset.mask = mask.id;
    const label = make("label");
    const box = make("input");
    box.type = "checkbox";
    box.checked = this.#chosen.get(keyOf(mask)) ?? !mask.quiet;
    this.#apply(mask, box.checked);
    const view = isNamedByImage && mask.view ? ` (${mask.view})` : "";
    label.append(box, swatch(mask.colour, mask.trusted), make("span", "name", mask.name + view));
    label.append(make("span", `source ${mask.source}`, message(`source-${mask.source}`)));
    row.append(label);
    if (mask.area === 0) row.append(make("small", "not-there", message("not-there")));
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
    const fold = this.element.querySelector("details");
    fold?.classList.toggle("lit", fold.querySelector(".lit") !== null); // what is lit may be folded away
  }
}
