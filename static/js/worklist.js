/** The worklist by keyboard: j and k move, Enter opens (it is a link), / goes to the search. */

import { bind } from "./keyboard.js";

const rows = () => [...document.querySelectorAll("#worklist-rows a[data-row]")];

function move(step) {
  const links = rows();
  if (links.length === 0) return;
  const at = links.indexOf(document.activeElement);
  const next = at === -1 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}

bind("j", () => move(1));
bind("arrowdown", () => move(1));
bind("k", () => move(-1));
bind("arrowup", () => move(-1));
bind("n", () => rows()[0]?.click());
bind("/", () => document.getElementById("search")?.focus());
