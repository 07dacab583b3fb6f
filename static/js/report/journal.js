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

/** Remove every entry of this browser: at sign-out. */
export function forgetAll() {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  }
}
