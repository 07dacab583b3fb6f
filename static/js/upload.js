/**
 * Handing in files: choose or drag files and folders, a few at a time over the wire, progress and result per file.
 * What the server made of each file comes back by polling the batch; the page can be left at any time after sending.
 */

import { csrfToken, make, message, readJson } from "./dom.js";

const AT_ONCE = 3;
const POLL_MS = 1_500;
const OVER = new Set(["accepted", "duplicate", "quarantined", "refused", "failed", "discarded"]);

const config = readJson("upload");
const zone = document.getElementById("drop-zone");
const list = document.getElementById("upload-list");
const total = document.getElementById("upload-total");
const form = zone.querySelector("form");
const waiting = [];
const rows = new Map();
let batch = crypto.randomUUID?.() ?? "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
  (Number(digit) ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (Number(digit) / 4)))).toString(16));
let sending = 0;
let polling = null;

async function* filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    yield { file, name: entry.fullPath.replace(/^\//, "") };
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const child of entries) yield* filesOf(child);
  }
}

function add(file, name) {
  const row = make("tr");
  const progress = make("progress");
  progress.max = 100;
  progress.value = 0;
  progress.setAttribute("aria-label", name);
  const cell = make("td", "state");
  cell.append(progress);
  row.append(make("td", "name", name), make("td", "number", size(file.size)), cell, make("td", "reason"));
  list.append(row);
  waiting.push({ file, name, row });
  document.getElementById("upload-box").hidden = false;
  pump();
}

function size(bytes) {
  const format = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  return bytes < 2 ** 20 ? `${format.format(bytes / 2 ** 10)} KB` : `${format.format(bytes / 2 ** 20)} MB`;
}

function pump() {
  while (sending < AT_ONCE && waiting.length > 0) {
    sending += 1;
    send(waiting.shift()).finally(() => {
      sending -= 1;
      pump();
    });
  }
  count();
}

/** XMLHttpRequest, because fetch tells nothing of the progress of what is sent. */
function send({ file, name, row }) {
  return new Promise((resolve) => {
    const data = new FormData();
    data.set("site", form.elements.site.value);
    data.set("batch", batch);
    data.set("path", name);
    data.set("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", config.url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      row.querySelector("progress").value = event.total === 0 ? 100 : (100 * event.loaded) / event.total;
    });
    request.addEventListener("loadend", () => {
      answered(request, row, () => { waiting.push({ file, name, row }); pump(); });
      resolve();
    });
    request.send(data);
  });
}

function answered(request, row, again) {
  const isOurs = request.status === 200 || request.status === 201;
  if (isOurs && request.response?.arrivals) {
    const [first, ...more] = request.response.arrivals;
    tell(row, first);
    for (const arrival of more) tell(list.appendChild(emptyRow(arrival)), arrival);
    poll();
    return;
  }
  const text = request.status === 0 ? message("not-sent-unreachable") : request.response?.message ?? message("server-failed", { status: request.status });
  const retry = make("button", "", message("send-again"));
  retry.type = "button";
  const goOn = () => {
    removeEventListener("online", goOn);
    row.querySelector(".state").replaceChildren(Object.assign(make("progress"), { max: 100, value: 0 }));
    row.querySelector(".reason").textContent = "";
    again();
  };
  retry.addEventListener("click", goOn);
  if (request.status === 0) addEventListener("online", goOn);
  row.dataset.status = "not-sent";
  row.querySelector(".state").textContent = message("not-sent");
  row.querySelector(".reason").replaceChildren(text, " ", retry);
  count();
}

function emptyRow(arrival) {
  const row = make("tr");
  row.append(make("td", "name", arrival.filename), make("td", "number", size(arrival.size)), make("td", "state"), make("td", "reason"));
  return row;
}

function tell(row, arrival) {
  rows.set(arrival.id, row);
  row.dataset.status = arrival.status;
  const state = row.querySelector(".state");
  state.replaceChildren();
  if (arrival.study_url) {
    const link = make("a", "", arrival.status_name);
    link.href = arrival.study_url;
    state.append(link);
  } else {
    state.textContent = arrival.status_name;
  }
  row.querySelector(".reason").textContent = arrival.reason;
}

function poll() {
  polling ??= setTimeout(async () => {
    polling = null;
    const open = [...rows.values()].some((row) => !OVER.has(row.dataset.status));
    if (!open) return;
    try {
      const response = await fetch(`${config.url}?batch=${batch}`, { headers: { Accept: "application/json" }, redirect: "manual" });
      if (response.ok) {
        for (const arrival of (await response.json()).arrivals) {
          const known = rows.get(arrival.id);
          // One whose answer is still on its way has a row already: it is told of there.
          if (known === undefined && sending > 0) continue;
          tell(known ?? list.appendChild(emptyRow(arrival)), arrival);
          if (arrival.status === "quarantined") document.getElementById("quarantine")?.dispatchEvent(new CustomEvent("refresh"));
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    count();
    poll();
  }, POLL_MS);
}

function count() {
  const all = [...list.children];
  const done = all.filter((row) => OVER.has(row.dataset.status)).length;
  const unsent = all.filter((row) => row.dataset.status === "not-sent").length;
  total.textContent = message("upload-total", { done, all: all.length })
    + (unsent > 0 ? ` · ${message("upload-unsent", { count: unsent })}` : "");
}

zone.addEventListener("dragover", (event) => {
  event.preventDefault();
  zone.classList.add("over");
});
zone.addEventListener("dragleave", () => zone.classList.remove("over"));
zone.addEventListener("drop", async (event) => {
  event.preventDefault();
  zone.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  for (const entry of entries) {
    for await (const { file, name } of filesOf(entry)) add(file, name);
  }
});
for (const input of form.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => {
    for (const file of input.files) add(file, file.webkitRelativePath || file.name);
    input.value = "";
  });
}
addEventListener("beforeunload", (event) => {
  if (sending > 0 || waiting.length > 0) event.preventDefault();
});
for (const button of form.querySelectorAll("[data-pick]")) {
  button.addEventListener("click", () => form.elements[button.dataset.pick].click());
}
