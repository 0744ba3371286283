/** Files of the page, told byte by byte as they come, unpacked where they are packed. */

import { Refusal } from "./refusal.js";

/** Fetch a file, as bytes; `onBytes(count)` hears of every piece. */
export async function fetched(url, onBytes = () => {}) {
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok) throw new Refusal(`${new URL(url).pathname} could not be loaded${answer ? ` (${answer.status})` : ""}: is the whole folder on the server?`);
  const pieces = [];
  const reader = answer.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    pieces.push(piece.value);
    onBytes(piece.value.length);
  }
  return unpacked(new Blob(pieces));
}

/** A server may have unpacked a .gz on its way, so the bytes say whether it is one. */
async function unpacked(blob) {
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  const isPacked = first === 0x1f && second === 0x8b;
  const stream = isPacked ? blob.stream().pipeThrough(new DecompressionStream("gzip")) : blob.stream();
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
