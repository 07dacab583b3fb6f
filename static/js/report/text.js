/** Report text as the server keeps it: NFC, LF, hashed over canonical JSON; and split into sentences. */

/** NFC with LF line ends. */
export function normalise(text) {
  return text.replace(/\r\n?/g, "\n").normalize("NFC");
}

/**
 * SHA-256 (hex) of `{"findings", "impression"}` as RFC 8785 writes it: for two strings under these keys, that is
 * what JSON.stringify gives.
 */
export async function digest({ findings, impression }) {
  const canonical = JSON.stringify({ findings: normalise(findings), impression: normalise(impression) });
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sentences of a text as `{start, end, text}`; `text` is trimmed, offsets are those of the trimmed part. */
export function sentences(text, language) {
  const segmenter = new Intl.Segmenter(language, { granularity: "sentence" });
  const found = [];
  for (const { segment, index } of segmenter.segment(text)) {
    for (const line of segment.matchAll(/[^\n]+/g)) {
      const trimmed = line[0].trim();
      if (!trimmed) continue;
      const start = index + line.index + line[0].indexOf(trimmed);
      found.push({ start, end: start + trimmed.length, text: trimmed });
    }
  }
  return found;
}

function pairs(text) {
  const squeezed = text.toLowerCase().replace(/\s+/g, " ");
  const counts = new Map();
  for (let i = 0; i < squeezed.length - 1; i += 1) {
    const pair = squeezed.slice(i, i + 2);
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return counts;
}

/** Sørensen-Dice likeness of two texts over letter pairs, 0 to 1. */
export function likeness(one, other) {
  const a = pairs(one);
  const b = pairs(other);
  let shared = 0;
  let total = 0;
  for (const [pair, count] of a) {
    shared += Math.min(count, b.get(pair) ?? 0);
    total += count;
  }
  for (const count of b.values()) total += count;
  return total === 0 ? 0 : (2 * shared) / total;
}
