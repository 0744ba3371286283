/** A look into PNG files: does one carry a recipe? The server alone reads it. */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const KEYWORD = "swapae-recipe";

/** Whether a file is a PNG with a chunk of text named swapae-recipe. */
export async function hasRecipe(file) {
  const head = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  if (!SIGNATURE.every((byte, at) => head[at] === byte)) return false;
  for (let at = 8; at + 12 <= file.size; ) {
    const bytes = new DataView(await file.slice(at, at + 8 + KEYWORD.length + 1).arrayBuffer());
    if (bytes.byteLength < 8) return false;
    const type = letters(bytes, 4, 4);
    if (type === "IEND") return false;
    const isText = type === "iTXt" && bytes.byteLength > 8 + KEYWORD.length;
    if (isText && letters(bytes, 8, KEYWORD.length) === KEYWORD && bytes.getUint8(8 + KEYWORD.length) === 0) return true;
    at += 12 + bytes.getUint32(0);
  }
  return false;
}

function letters(bytes, from, count) {
  return String.fromCharCode(...Array.from({ length: count }, (_, at) => bytes.getUint8(from + at)));
}
