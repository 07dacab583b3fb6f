/**
 * After signing: an addendum that is kept while it is typed, like the report, and text of one's own that never
 * got into the report because somebody signed before it was saved. Neither goes away unasked.
 */

import { make, message, post, SignedOut } from "../dom.js";
import { Journal } from "./journal.js";

function button(text, act) {
  const made = make("button", "", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function asText(kept) {
  return [kept.findings, kept.impression].filter((part) => part.trim() !== "").join("\n\n");
}

/** Show text that was not saved, with a way to take it along; nothing where there is none. */
export function showLeftover(place, text, more = []) {
  if (place === null || text === null) return;
  const copy = button(message("copy"), () => navigator.clipboard.writeText(asText(text)));
  const actions = make("div", "actions");
  actions.append(copy, ...more);
  place.replaceChildren(make("p", "", message("leftover")), make("pre", "leftover", asText(text)), actions);
  place.hidden = false;
}

/** On the page of a signed report: what this person had typed and nobody saved. */
export function offerLeftover({ user, study }) {
  const journal = new Journal(user, study);
  const kept = journal.read();
  const place = document.getElementById("leftover");
  if (kept === null || place === null) return;
  const done = () => {
    journal.clear();
    place.hidden = true;
  };
  const area = document.getElementById("addendum");
  const take = area === null ? [] : [button(message("into-addendum"), () => {
    area.value = [area.value, asText(kept)].filter(Boolean).join("\n");
    area.dispatchEvent(new Event("input"));
    area.focus();
    done();
  })];
  showLeftover(place, kept, [...take, button(message("discard-leftover"), done)]);
}

/** The addendum's form: kept while typed, sent in place, and never left without asking. */
export function connectAddendum({ user, study }) {
  const area = document.getElementById("addendum");
  if (area === null) return;
  const { form } = area;
  const journal = new Journal(user, `${study}:addendum`);
  const error = form.querySelector("[data-error]");
  const complain = (text) => {
    error.textContent = text;
    error.hidden = text === "";
  };
  let isSent = false;
  area.value ||= journal.read()?.text ?? "";
  area.addEventListener("input", () => (area.value === "" ? journal.clear() : journal.write({ text: area.value })));
  addEventListener("beforeunload", (event) => {
    if (area.value !== "" && !isSent) event.preventDefault();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const submit = form.querySelector("button.primary");
    submit.disabled = true;
    complain("");
    try {
      const { status, body } = await post(form.action, new FormData(form));
      if (status === 200) {
        isSent = true;
        journal.clear();
        location.assign(body.next + location.search);
        return;
      }
      complain(body?.message ?? message("server-failed", { status }));
    } catch (failure) {
      if (failure instanceof SignedOut) complain(message("addendum-expired"));
      else if (failure instanceof TypeError) complain(message("server-unreachable"));
      else throw failure;
    } finally {
      submit.disabled = false;
    }
  });
}
