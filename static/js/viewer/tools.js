/** The tool bar and its keys: each button and its key run the same code. */

import { make, message } from "../dom.js";
import { bind } from "../keyboard.js";

const STEP = 1.25;

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
    reset: { key: "r", act: (viewer) => { viewer.reset(); presets.value = "0"; } },
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
    if (!viewer?.isReady) return;
    if (index === 0) viewer.setFirstLook();
    else viewer.setWindow(viewer.presets[index]);
  };
  presets.addEventListener("change", () => choose(Number(presets.value)));
  bind("w", () => {
    presets.selectedIndex = (presets.selectedIndex + 1) % presets.options.length;
    choose(presets.selectedIndex);
  });
  const fill = (viewer) => {
    presets.replaceChildren(...viewer.presets.map((preset, index) => {
      const option = make("option", "", presetName(preset, index));
      option.value = String(index);
      return option;
    }));
  };
  for (const viewer of viewers.values()) {
    viewer.addEventListener("first-paint", () => fill(viewer), { once: true });
  }
  return { fill };
}

function presetName(preset, index) {
  if (index === 0) return preset.explanation || message("window-as-received");
  if (preset.name) return message(`window-${preset.name}`);
  return preset.explanation || message("window-numbered", { number: index + 1 });
}
