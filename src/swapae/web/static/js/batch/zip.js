// A zip file of pictures, made in the page. Files are stored, not compressed: PNGs would not get smaller. The zip is
// a blob of blobs, so its size is never in memory: each file is read once, in pieces, for its checksum.

const MOST_FILES = 0xfffe; // what the plain format can count
const MOST_BYTES = 0xfffffffe;
const UTF8 = 0x0800; // flag: names are UTF-8
const VERSION = 20;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/** Give the CRC-32 of a blob. */
export async function checksum(blob) {
  let crc = 0xffffffff;
  const reader = blob.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return (crc ^ 0xffffffff) >>> 0;
    for (const byte of value) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  }
}

/**
 * Make a zip of `[{name, blob, date}]`; `told(done, all)` hears of each file.
 * Throws an Error with a sentence where there are more files or bytes than a zip holds.
 */
export async function zip(files, told = () => {}) {
  const bytes = files.reduce((sum, { name, blob }) => sum + blob.size + 200 + 6 * name.length, 0);
  if (files.length > MOST_FILES || bytes > MOST_BYTES) {
    throw new Error("These are more pictures than one zip can hold: download some of them one by one and remove them.");
  }
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [index, { name, blob, date }] of files.entries()) {
    const encoded = new TextEncoder().encode(name);
    const common = described(await checksum(blob), blob.size, encoded.length, date);
    const header = [words(0x04034b50), common, encoded];
    parts.push(...header, blob);
    directory.push(words(0x02014b50), shorts(VERSION), common, shorts(0, 0, 0), words(0, offset), encoded);
    offset += length(header) + blob.size;
    told(index + 1, files.length);
  }
  const end = [words(0x06054b50), shorts(0, 0, files.length, files.length), words(length(directory), offset), shorts(0)];
  return new Blob([...parts, ...directory, ...end], { type: "application/zip" });
}

/** What the header of a file and its line in the directory have in common, 26 bytes. */
function described(crc, size, nameLength, date = new Date()) {
  return joined([shorts(VERSION, UTF8, 0, ...stamp(date)), words(crc, size, size), shorts(nameLength, 0)]);
}

/** Write a date as DOS does: from 1980 to 2107, in steps of two seconds. */
function stamp(date) {
  const year = Math.min(127, Math.max(0, date.getFullYear() - 1980));
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  return [time, (year << 9) | ((date.getMonth() + 1) << 5) | date.getDate()];
}

/** Numbers of 16 bits, least byte first. */
function shorts(...values) {
  const view = new DataView(new ArrayBuffer(2 * values.length));
  values.forEach((value, i) => view.setUint16(2 * i, value, true));
  return new Uint8Array(view.buffer);
}

/** Numbers of 32 bits, least byte first. */
function words(...values) {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => view.setUint32(4 * i, value, true));
  return new Uint8Array(view.buffer);
}

function joined(pieces) {
  const whole = new Uint8Array(length(pieces));
  pieces.reduce((at, piece) => (whole.set(piece, at), at + piece.length), 0);
  return whole;
}

function length(pieces) {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
