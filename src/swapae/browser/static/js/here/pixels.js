/** The border between pixels (0 to 255) and planes of floats [3, H, W] in [-1, 1], as `swapae.images` draws it. */

// (v / 255 - 0.5) / 0.5, each step rounded to float32
const VALUES = Float32Array.from({ length: 256 }, (_, v) => Math.fround(Math.fround(Math.fround(v / 255) - 0.5) / 0.5));

/** Turn RGBA pixels into planes; alpha is not looked at. */
export function toPlanes(rgba, width, height) {
  const size = width * height;
  const planes = new Float32Array(3 * size);
  for (let at = 0; at < size; at++) {
    for (let c = 0; c < 3; c++) planes[c * size + at] = VALUES[rgba[4 * at + c]];
  }
  return planes;
}

/** Turn planes into RGBA pixels: clamped, rounded to the nearest level (halves to even), NaN black. */
export function toPixels(planes, width, height, alpha = null) {
  const size = width * height;
  const pixels = new Uint8ClampedArray(4 * size); // it clamps and rounds so
  for (let at = 0; at < size; at++) {
    for (let c = 0; c < 3; c++) pixels[4 * at + c] = Math.fround(Math.fround(planes[c * size + at] + 1) * 127.5);
    pixels[4 * at + 3] = alpha ? alpha[at] : 255;
  }
  return pixels;
}

/** Where each of `target` places looks in a side, reflected at both ends as often as it takes: 0 1 2 1 0 1 … */
export function reflected(side, target) {
  if (side === 1) return new Array(target).fill(0);
  const period = 2 * (side - 1);
  return Array.from({ length: target }, (_, at) => Math.min(at % period, period - (at % period)));
}

/** Pad planes to a size on the right and at the bottom, by reflection. */
export function padded(planes, [height, width], [high, wide]) {
  if (high === height && wide === width) return planes;
  const [rows, columns] = [reflected(height, high), reflected(width, wide)];
  const found = new Float32Array(3 * high * wide);
  for (let c = 0, to = 0; c < 3; c++) {
    for (let y = 0; y < high; y++) {
      const from = (c * height + rows[y]) * width;
      for (let x = 0; x < wide; x++, to++) found[to] = planes[from + columns[x]];
    }
  }
  return found;
}

/** Cut planes [3, high, wide] to a size, from the upper left. */
export function cropped(planes, [high, wide], [height, width]) {
  if (high === height && wide === width) return planes;
  const found = new Float32Array(3 * height * width);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      const from = (c * high + y) * wide;
      found.set(planes.subarray(from, from + width), (c * height + y) * width);
    }
  }
  return found;
}
