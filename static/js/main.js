/** Loaded by every page: theme, notices, keys, live parts. */

import { giveBackTheCaret, message } from "./dom.js";
import { clearToast, toast } from "./errors.js";
import "./keyboard.js";
import "./live.js";
import { forget, keepsAnything } from "./report/journal.js";

const YEAR_S = 31_536_000;

function rememberTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_S}; SameSite=Lax`;
}

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme
      || (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
    rememberTheme(now === "light" ? "dark" : "light");
  });
}

for (const select of document.querySelectorAll("select[data-submit-on-change]")) {
  select.addEventListener("change", () => {
    // The address may have changed since the page was made: filters are in it.
    const { next } = select.form.elements;
    if (next) next.value = location.pathname + location.search;
    select.form.requestSubmit();
  });
}

for (const form of document.querySelectorAll("form[data-sign-out]")) {
  form.addEventListener("submit", (event) => {
    const { user } = document.body.dataset;
    if (keepsAnything(user) && !confirm(message("sign-out-unsaved"))) event.preventDefault();
    else forget(user);
  });
}

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("close", giveBackTheCaret);
  for (const button of dialog.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => dialog.close());
  }
}

addEventListener("offline", () => toast(message("server-unreachable")));
addEventListener("online", () => clearToast(message("server-unreachable")));
