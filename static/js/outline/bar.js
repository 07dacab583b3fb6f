/**
 * Correcting outlines: the bar that takes the place of the list of structures, its keys, and saving. The model's
 * outline stays as it is; what is saved is a person's outline beside it.
 */

import { clock, isUnreachable, make, message, post, SignedOut } from "../dom.js";
import { toast } from "../errors.js";
import { bind } from "../keyboard.js";
import { keptOf } from "../report/journal.js";
import { encode } from "./encode.js";
import { clear, fillHoles } from "./shapes.js";
import { Session } from "./session.js";

const WAIT_MS = 20_000;
const KEYS = { brush: "b", eraser: "x", polygon: "g", move: "v" };

/**
 * `page` is `{url, structures, user, study}`; `active()` the viewer last touched; `masksOf(viewer)` what it shows;
 * `onsaved` is told that the server has another outline, `onlight(id)` which one is worked on, null for none.
 */
export function connectOutlines(page, { active, masksOf, picked, onsaved, onlight }) {
  const bar = document.getElementById("outline-bar");
  const list = document.getElementById("structures");
  const button = (name) => bar.querySelector(`[data-outline="${name}"]`);
  const choice = bar.querySelector("[name=structure]");
  const size = bar.querySelector("[name=radius]");
  const status = bar.querySelector("[role=status]");
  let session = null;

  const nameOf = (code) => page.structures.find((one) => one.structure === code)?.name ?? code;
  const blank = (viewer, structure) => ({
    ...page.structures.find((one) => one.structure === structure),
    id: `new ${structure}`, row: null, image: viewer.figure.dataset.sop, source: "human", trusted: true, area: 0,
    size: [viewer.image.rows, viewer.image.columns],
    counts: encode(new Uint8Array(viewer.image.rows * viewer.image.columns), [viewer.image.rows, viewer.image.columns]),
  });

  function begin(viewer, structure) {
    const shown = masksOf(viewer);
    let mask = shown.find((one) => one.structure === structure);
    if (mask === undefined) {
      mask = blank(viewer, structure);
      viewer.setMasks([...shown, mask]);
    }
    const toolName = session?.toolName ?? "brush";
    end();
    session = new Session(viewer, mask, page);
    session.addEventListener("change", tell);
    onlight(mask.id);
    fillChoice(viewer, structure);
    const since = session.restore();
    session.take(toolName);
    say(since === null ? "" : message("outline-restored", { time: clock(new Date(since)) }));
    list.hidden = true;
    bar.hidden = false;
  }

  /** Take the session away, and what was added for it alone. */
  function end() {
    if (session === null) return;
    session.end();
    session = null;
    onlight(null);
  }

  function leave() {
    const { viewer } = session;
    end();
    viewer.setMasks(masksOf(viewer));
    bar.hidden = true;
    list.hidden = false;
    viewer.canvas.focus({ preventScroll: true });
  }

  function fillChoice(viewer, structure) {
    const shown = new Set(masksOf(viewer).map((mask) => mask.structure));
    const groups = [["outline-there", (code) => shown.has(code)], ["outline-add", (code) => !shown.has(code)]];
    choice.replaceChildren(...groups.map(([label, belongs]) => {
      const group = make("optgroup");
      group.label = message(label);
      for (const one of page.structures.filter((other) => belongs(other.structure))) {
        const option = make("option", "", one.name);
        option.value = one.structure;
        group.append(option);
      }
      return group;
    }));
    choice.value = structure;
  }

  /** Start with what is lit or was picked, else with a finding, else with the first. */
  function start() {
    const viewer = active();
    if (!viewer?.isReady || session !== null) return;
    const shown = masksOf(viewer);
    const mask = shown.find((one) => one.id === picked())
      ?? shown.find((one) => one.group === "finding") ?? shown[0];
    begin(viewer, mask?.structure ?? page.structures.find((one) => one.group === "finding").structure);
  }

  function tell() {
    for (const name of Object.keys(KEYS).concat("remove-piece", "keep-piece")) {
      button(name).setAttribute("aria-pressed", String(session.toolName === name));
    }
    const { undoes, redoes, isChanged } = session.steps;
    for (const [name, step] of [["undo", undoes], ["redo", redoes]]) {
      button(name).disabled = step === null;
      button(name).title = step === null ? "" : message(`step-${step}`);
    }
    button("save").disabled = !isChanged;
    button("discard").textContent = message(isChanged ? "outline-discard" : "outline-leave");
    choice.disabled = isChanged;
    size.max = String(Math.round(session.grid.columns / 4));
    size.value = String(session.radius);
    if (isChanged) say(message(session.isEmpty ? "outline-not-there" : session.isKept ? "outline-unsaved" : "outline-unkept"));
    else say("");
  }

  function say(text, kind = "") {
    status.textContent = text;
    status.dataset.kind = kind;
  }

  async function save() {
    if (session === null || !session.steps.isChanged || button("save").disabled) return;
    const saving = session;
    button("save").disabled = true;
    say(message("saving"));
    const { mask, steps } = saving;
    const counts = steps.counts;
    const given = {
      sop_instance_uid: mask.image, structure: mask.structure, size: mask.size, counts, based_on: saving.basedOn,
    };
    try {
      const { status: answer, body } = await post(page.url, given, { signal: AbortSignal.timeout(WAIT_MS) });
      if (session !== saving) return;
      if (answer === 201 && steps.counts === counts) {
        saving.journal.clear();
        await onsaved();
        if (session === saving) leave();
        toast(message("outline-saved", { structure: nameOf(mask.structure) }), "good");
      } else if (answer === 201) {
        saving.standOn(body.id); // drawn on while it was sent: what is newer stays to be saved
      } else if (body?.code === "mask-conflict") {
        await showTheirs(saving, body.errors.current);
      } else {
        tell();
        say(`${message("not-saved")} ${body?.message ?? message("server-failed", { status: answer })}`, "bad");
      }
    } catch (error) {
      if (session !== saving) return;
      tell();
      if (error instanceof SignedOut) say(message("outline-expired"), "bad");
      else if (isUnreachable(error)) say(message("outline-unreachable"), "bad");
      else throw error;
    }
  }

  /** Another person's outline came meanwhile: draw it dashed beside this one; saving again is a decision. */
  async function showTheirs(saving, current) {
    await onsaved();
    if (session !== saving) return;
    const { viewer, mask } = saving;
    const shown = masksOf(viewer);
    const theirs = shown.filter((one) => one.row === current).map((one) => ({ ...one, id: "theirs", trusted: false }));
    viewer.setMasks([...shown.filter((one) => one.structure !== mask.structure), ...theirs, mask]);
    saving.redraw();
    saving.standOn(current);
    say(message("outline-conflict"), "bad");
  }

  const acts = {
    ...Object.fromEntries(
      [...Object.keys(KEYS), "remove-piece", "keep-piece"].map((name) => [name, () => session.take(name)]),
    ),
    "fill-holes": () => { session.changed(fillHoles(session.grid)); session.did("fill-holes"); },
    "not-there": () => { session.changed(clear(session.grid)); session.did("not-there"); },
    undo: () => session.undo(),
    redo: () => session.redo(),
    save,
    discard: () => { session.journal.clear(); leave(); },
  };
  for (const [name, act] of Object.entries(acts)) {
    button(name).addEventListener("click", (event) => {
      act();
      if (event.detail > 0) active()?.canvas.focus({ preventScroll: true }); // the keys are the image's again
    });
  }
  const isOn = () => session !== null;
  for (const [name, key] of Object.entries(KEYS)) bind(key, acts[name], null, isOn);
  const isDrawing = (event) => session !== null && !(event.target instanceof HTMLTextAreaElement);
  bind("ctrl+z", (event) => (event.shiftKey ? session.redo() : session.undo()), null, isDrawing);
  bind("ctrl+y", () => session.redo(), null, isDrawing);
  bind("ctrl+s", save, null, isDrawing);
  bind("[", () => session.setRadius(session.radius / 1.25), null, isOn);
  bind("]", () => session.setRadius(session.radius * 1.25), null, isOn);
  bind("enter", (event) => session.tool.enter?.(event), null, (event) => isOn() && event.target === session.viewer.canvas);
  choice.addEventListener("change", () => begin(session.viewer, choice.value));
  size.addEventListener("input", () => session.setRadius(Number(size.value)));
  addEventListener("beforeunload", (event) => {
    if (session?.steps.isChanged) event.preventDefault();
  });
  for (const place of keptOf(page.user, `${page.study}:outline:`)) {
    toast(message("outline-kept", { structure: nameOf(place.split(":").at(-1)) }), "notice");
  }
  return {
    start,
    isBusy: () => session !== null,
    /** Escape: a polygon that is not closed goes first; an outline without a change is left. */
    escape() {
      if (session === null || session.tool.leave?.()) return session !== null;
      if (!session.steps.isChanged) leave();
      return true;
    },
  };
}
