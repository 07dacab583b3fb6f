/** Two texts of one report side by side, and what was kept in this browser. Nothing goes away unasked. */

import { clock, make, message } from "../dom.js";

function column(title, text) {
  const box = make("section", "version");
  box.append(make("h3", "", title));
  for (const name of ["findings", "impression"]) {
    box.append(make("h4", "", message(name)), make("pre", "", text[name]));
  }
  return box;
}

function button(text, act, className = "") {
  const made = make("button", className, text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/** Show both texts with a choice, which may wait: nothing is saved until it is made. */
export function showConflict(editor, { theirs }) {
  const dialog = document.getElementById("conflict");
  const again = document.getElementById("show-conflict");
  const box = dialog.firstElementChild;
  const by = message("their-text", { author: theirs.author, time: theirs.saved_at ? clock(new Date(theirs.saved_at)) : "–" });
  const settle = (act) => () => {
    again.hidden = true;
    dialog.close();
    act();
  };
  const fill = (...parts) => {
    const title = make("h2", "", message("conflict-title"));
    title.id = "conflict-title";
    box.replaceChildren(title, ...parts);
  };
  const actions = make("div", "actions");
  actions.append(
    button(message("keep-mine"), settle(() => editor.keepMine(theirs)), "primary"),
    button(message("take-theirs"), () => {
      const mine = editor.text();
      again.hidden = true;
      editor.takeTheirs(theirs, mine);
      dialog.addEventListener("close", () => editor.forgetMine(), { once: true });
      const after = make("div", "actions");
      after.append(button(message("close"), settle(() => {})), button(message("bring-mine-back"), settle(() => editor.setText(mine))));
      fill(make("p", "notice", message("yours-below")), column(message("your-text"), mine), after);
    }),
    button(message("decide-later"), () => dialog.close(), "quiet"),
  );
  const open = () => {
    // The person may have gone on writing since: what is compared is what is in the editor now.
    const texts = make("div", "versions");
    texts.append(column(message("your-text"), editor.text()), column(by, theirs));
    fill(make("p", "", message("conflict-help")), texts, actions);
    if (!dialog.open) dialog.showModal();
  };
  again.hidden = false;
  again.onclick = open;
  open();
}

/** Say that typed text came back, and let the person return to what the server has. */
export function showRestored(editor, server) {
  const panel = document.getElementById("restored");
  panel.replaceChildren(
    make("p", "", message("restored", { time: clock(editor.restoredAt) })),
    button(message("use-saved"), () => { editor.setText(server); panel.hidden = true; }),
    button(message("keep-restored"), () => { panel.hidden = true; }),
  );
  panel.hidden = false;
}
