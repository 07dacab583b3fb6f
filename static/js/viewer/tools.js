/** The tool bar and its keys: each button and its key run the same code. */

import { make, message } from "../dom.js";
import { bind } from "../keyboard.js";

const STEP = 1.25;
const STEP_PX = 24;

/** `active()` is the viewer last touched; `restyle` applies an overlay look to every viewer. */
export function connectTools({ active, restyle, viewers }) {
  const look = { on: true, filled: false, opacity: 1 };
  const bar = document.getElementById("tools");
  const button = (name) => bar.querySelector(`[data-tool="${name}"]`);
  const opacity = bar.querySelector("[name=opacity]");
  const presets = bar.querySelector("[name=preset]");

  const setLook = (change) => {
    Object.assign(look, change);
    button("overlays").setAttribute("aria-pressed", String(look.on));
    button("fill").setAttribute("aria-pressed", String(look.filled));
    restyle({ ...look });
  };
  const tools = {
    invert: { key: "i", act: (viewer) => viewer.invert() },
    fit: { key: "f", act: (viewer) => viewer.fit() },
    "one-to-one": { key: "1", act: (viewer) => viewer.oneToOne() },
    "turn-left": { key: ",", act: (viewer) => viewer.turn(-1) },
    "turn-right": { key: ".", act: (viewer) => viewer.turn(1) },
    flip: { key: "y", act: (viewer) => viewer.flip() },
    reset: { key: "r", act: (viewer) => viewer.reset() },
    "zoom-in": { key: "+", act: (viewer) => viewer.zoom(STEP) },
    "zoom-out": { key: "-", act: (viewer) => viewer.zoom(1 / STEP) },
    overlays: { key: "h", act: () => setLook({ on: !look.on }) },
    fill: { key: "o", act: () => setLook({ filled: !look.filled }) },
  };
  for (const [name, { key, act }] of Object.entries(tools)) {
    const run = () => {
      const viewer = active();
      if (viewer?.isReady) act(viewer);
    };
    button(name).addEventListener("click", run);
    bind(key, run);
  }
  bind("p", () => restyle({ on: !look.on }), () => restyle({ on: look.on }));
  opacity.addEventListener("input", () => setLook({ opacity: Number(opacity.value) / 100 }));

  const choose = (index) => {
    const viewer = active();
    if (!viewer?.isReady || viewer.presets[index] === undefined) return;
    viewer.setPreset(index);
  };
  presets.addEventListener("change", () => {
    choose(Number(presets.value));
    presets.blur(); // the keys are the image's again
  });
  bind("w", () => {
    const viewer = active();
    if (viewer?.isReady) choose((viewer.preset + 1) % viewer.presets.length);
  });
  /** The list of one viewer's windows, at the one it shows; a window made by hand has an entry of its own. */
  const show = (viewer) => {
    const at = viewer.preset; // -1 for one made by hand
    const names = viewer.presets.map((preset, index) => [String(index), presetName(preset, index)]);
    if (at === -1) names.push(["hand", message("window-by-hand")]);
    presets.replaceChildren(...names.map(([value, name]) => {
      const option = make("option", "", name);
      option.value = value;
      return option;
    }));
    presets.value = at === -1 ? "hand" : String(at);
  };
  for (const viewer of viewers.values()) {
    for (const name of ["window", "first-paint"]) {
      viewer.addEventListener(name, () => { if (viewer === active()) show(viewer); });
    }
  }
  const pan = (dx, dy) => () => {
    const viewer = active();
    if (viewer?.isReady) {
      viewer.pan(dx * STEP_PX * devicePixelRatio, dy * STEP_PX * devicePixelRatio);
    }
  };
  const drag = (dx, dy) => () => {
    const viewer = active();
    if (viewer?.isReady) viewer.dragWindow(dx * STEP_PX, dy * STEP_PX);
  };
  for (const [key, dx, dy] of [["arrowleft", -1, 0], ["arrowright", 1, 0], ["arrowup", 0, -1], ["arrowdown", 0, 1]]) {
    bind(key, pan(-dx, -dy));
    bind(`shift+${key}`, drag(dx, dy));
  }
  return { show };
}

function presetName(preset, index) {
  if (index === 0) return preset.explanation || message("window-as-received");
  if (preset.name) return message(`window-${preset.name}`);
  return preset.explanation || message("window-numbered", { number: index + 1 });
}
