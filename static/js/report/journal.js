/**
 * What was typed and is not yet saved, kept in this browser: one entry per user and study, removed when the
 * server has it and at sign-out. It is the last net under a lost connection or a closed tab.
 */

const PREFIX = "journal:";

export class Journal {
  constructor(user, study) {
    this.key = `${PREFIX}${user}:${study}`;
  }

  /** The kept entry `{findings, impression, based_on, at}` or null. */
  read() {
    try {
      return JSON.parse(localStorage.getItem(this.key));
    } catch {
      return null;
    }
  }

  /** Keep this text. False where the browser refuses to (storage full or switched off). */
  write(entry) {
    try {
      localStorage.setItem(this.key, JSON.stringify({ ...entry, at: new Date().toISOString() }));
      return true;
    } catch {
      return false;
    }
  }

  clear() {
    localStorage.removeItem(this.key);
  }
}

function keysOf(user) {
  return Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}${user}:`));
}

/** What is kept of one person under places that begin so: the rest of each place. */
export function keptOf(user, start) {
  return keysOf(user).map((key) => key.slice(`${PREFIX}${user}:`.length))
    .filter((place) => place.startsWith(start)).map((place) => place.slice(start.length));
}

/** Whether text of this person is kept here that no server has. */
export function keepsAnything(user) {
  return keysOf(user).length > 0;
}

/** Remove what is kept of one person: at their sign-out. Another's text is not theirs to lose. */
export function forget(user) {
  for (const key of keysOf(user)) localStorage.removeItem(key);
}
