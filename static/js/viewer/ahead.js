/** The images of the next study, fetched while this one is read: the browser then has them when it is opened. */

import { NAMES, address } from "./pixels.js";

export async function fetchAhead(sources) {
  for (const source of sources) {
    for (const name of NAMES) {
      try {
        const response = await fetch(address(source, name), { credentials: "same-origin", priority: "low" });
        await response.arrayBuffer(); // to its end, or it is not kept
      } catch {
        return; // it comes when it is asked for
      }
    }
  }
}
