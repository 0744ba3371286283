// An 8-bit PNG, written here: what a canvas exports, some browsers blur against fingerprinting.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** Write a raster {width, height, data} as a PNG Blob. */
export function encoded({ width, height, data }) {
  return written({ width, height, data, channels: 1 });
}

const KINDS = { 1: 0, 3: 2, 4: 6 }; // of PNG, by channels: gray, colours, colours and alpha

/** Write 8-bit samples, `channels` of them a pixel (1, 3 or 4, alpha not multiplied in), as a PNG Blob. */
export async function written({ width, height, data, channels }) {
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, KINDS[channels], 0, 0, 0], 8); // 8 bits a sample, not interlaced
  const row = width * channels;
  const lines = new Uint8Array(height * (row + 1)); // each begins with its filter: 2, the difference to the one above
  for (let y = 0; y < height; y++) {
    lines[y * (row + 1)] = 2;
    for (let x = 0; x < row; x++) {
      const above = y === 0 ? 0 : data[(y - 1) * row + x];
      lines[y * (row + 1) + 1 + x] = data[y * row + x] - above;
    }
  }
  const parts = [new Uint8Array(SIGNATURE), chunk("IHDR", head), chunk("IDAT", await deflated(lines)), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}

async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function chunk(name, body) {
  const found = new Uint8Array(body.length + 12);
  const view = new DataView(found.buffer);
  view.setUint32(0, body.length);
  found.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  found.set(body, 8);
  view.setUint32(body.length + 8, checksum(found.subarray(4, body.length + 8)));
  return found;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

/** CRC-32 as PNG has it. */
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return ~sum >>> 0;
}
