// A mask is a raster {width, height, data}: one byte a pixel, 0 outside, 255 inside. Pure functions: no page is
// needed. Shapes are laid on with their exact edges; points are in pixels of the raster, [0, 0] its upper left corner.

export const INSIDE = 255;

export function blank(width, height, value = 0) {
  return { width, height, data: new Uint8Array(width * height).fill(value) };
}

export function copied(raster) {
  return { ...raster, data: raster.data.slice() };
}

export function inverted(raster) {
  return { ...raster, data: raster.data.map((value) => INSIDE - value) };
}

export function isEmpty(raster) {
  return raster.data.every((value) => value === 0);
}

export function isEqual(a, b) {
  return a.width === b.width && a.height === b.height && a.data.every((value, at) => value === b.data[at]);
}

/** Tell how much of the image is inside, 0 to 1. */
export function share(raster) {
  let sum = 0;
  for (const value of raster.data) sum += value;
  return sum / (INSIDE * raster.data.length);
}

/** Lay a coverage (x, y) => 0…1 over the pixels of a box, in place; several on one place do not add up. */
function cover(raster, [left, top, right, bottom], coverage, isErasing) {
  const { width, height, data } = raster;
  const box = [Math.max(0, left), Math.max(0, top), Math.min(width, right), Math.min(height, bottom)];
  for (let y = box[1]; y < box[3]; y++) {
    for (let x = box[0]; x < box[2]; x++) {
      const value = Math.round(coverage(x, y) * INSIDE);
      const at = y * width + x;
      data[at] = isErasing ? Math.min(data[at], INSIDE - value) : Math.max(data[at], value);
    }
  }
}

/** Draw with a round brush from one point to another (both may be the same), in place. */
export function brushed(raster, from, to, diameter, isErasing = false) {
  const radius = diameter / 2;
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = dx * dx + dy * dy;
  const box = [
    Math.floor(Math.min(from[0], to[0]) - radius - 1),
    Math.floor(Math.min(from[1], to[1]) - radius - 1),
    Math.ceil(Math.max(from[0], to[0]) + radius + 1),
    Math.ceil(Math.max(from[1], to[1]) + radius + 1),
  ];
  cover(raster, box, (x, y) => {
    const [px, py] = [x + 0.5 - from[0], y + 0.5 - from[1]];
    const along = length === 0 ? 0 : clamp((px * dx + py * dy) / length);
    return clamp(radius + 0.5 - Math.sqrt((px - along * dx) ** 2 + (py - along * dy) ** 2));
  }, isErasing);
  return raster;
}

/** Fill the rectangle between two corners, in place; pixels it covers in part are inside in part. */
export function boxed(raster, a, b, isErasing = false) {
  const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
  const [top, bottom] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
  const shared = (from, to, pixel) => Math.max(0, Math.min(to, pixel + 1) - Math.max(from, pixel));
  const box = [Math.floor(left), Math.floor(top), Math.ceil(right), Math.ceil(bottom)];
  cover(raster, box, (x, y) => shared(left, right, x) * shared(top, bottom, y), isErasing);
  return raster;
}

/** Fill an outline given by its points, in place; loops of it are inside, too. */
export function filled(raster, points, isErasing = false) {
  if (points.length < 3) return raster;
  const [xs, ys] = [points.map((point) => point[0]), points.map((point) => point[1])];
  const box = [
    Math.max(0, Math.floor(least(xs))), Math.max(0, Math.floor(least(ys))),
    Math.min(raster.width, Math.ceil(most(xs))), Math.min(raster.height, Math.ceil(most(ys))),
  ];
  const row = new Float32Array(Math.max(0, box[2] - box[0]));
  for (let y = box[1]; y < box[3]; y++) {
    row.fill(0);
    for (let line = 0; line < LINES; line++) {
      for (const [from, to] of spans(points, y + (line + 0.5) / LINES)) spread(row, from - box[0], to - box[0]);
    }
    cover(raster, [box[0], y, box[2], y + 1], (x) => clamp(row[x - box[0]] / LINES), isErasing);
  }
  return raster;
}

const LINES = 8; // lines on which a row of pixels is measured

/** Give the stretches of a line that lie inside an outline, by its winding number. */
function spans(points, y) {
  const crossings = [];
  points.forEach((a, at) => {
    const b = points[(at + 1) % points.length];
    if ((a[1] <= y) === (b[1] <= y)) return;
    crossings.push([a[0] + ((y - a[1]) / (b[1] - a[1])) * (b[0] - a[0]), a[1] < b[1] ? 1 : -1]);
  });
  crossings.sort((a, b) => a[0] - b[0]);
  const found = [];
  let winding = 0;
  crossings.forEach(([x, turn], at) => {
    winding += turn;
    if (winding !== 0 && at + 1 < crossings.length) found.push([x, crossings[at + 1][0]]);
  });
  return found;
}

function spread(row, from, to) {
  const [first, last] = [Math.max(0, from), Math.min(row.length, to)];
  for (let x = Math.floor(first); x < last; x++) row[x] += Math.min(last, x + 1) - Math.max(first, x);
}

/** Join a region to a mask of the same size, or take it away; gives a new one. */
export function joined(raster, region, isErasing = false) {
  const join = isErasing ? (a, b) => Math.min(a, INSIDE - b) : Math.max;
  return { ...raster, data: raster.data.map((value, at) => join(value, region.data[at])) };
}

/** Bring a mask to another size: areas are averaged where it shrinks, the nearest pixels taken where it grows. */
export function resized(raster, width, height) {
  if (raster.width === width && raster.height === height) return copied(raster);
  const [across, down] = [taken(raster.width, width), taken(raster.height, height)];
  const found = blank(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [from, part] of down[y]) {
        for (const [column, share] of across[x]) sum += part * share * raster.data[from * raster.width + column];
      }
      found.data[y * width + x] = Math.round(sum);
    }
  }
  return found;
}

/** Tell which old pixels, and how much of each, make each new one along a side. */
function taken(have, want) {
  return Array.from({ length: want }, (_, at) => {
    if (want > have) return [[Math.min(have - 1, Math.floor(((at + 0.5) * have) / want)), 1]];
    const [from, to] = [(at * have) / want, ((at + 1) * have) / want];
    const parts = [];
    for (let old = Math.floor(from); old < Math.min(have, to); old++) {
      parts.push([old, (Math.min(to, old + 1) - Math.max(from, old)) / (to - from)]);
    }
    return parts;
  });
}

/** Show how a mask's edges will fade: `swapae.editing.feathered`, the same raised cosine. */
export function feathered(raster, feather) {
  const reach = Math.floor(feather);
  if (reach === 0) return copied(raster);
  const { width, height } = raster;
  const values = Float32Array.from(raster.data);
  const fade = fader(Math.max(width, height), reach, Math.PI / (feather + 1));
  for (let y = 0; y < height; y++) fade(values, y * width, 1, width);
  for (let x = 0; x < width; x++) fade(values, x, width, height);
  return { width, height, data: Uint8Array.from(values, (value) => Math.min(INSIDE, Math.round(value))) };
}

/**
 * Make a function that fades a line in place, in a time that does not grow with the reach: the sums of v, v·cos and
 * v·sin up to each pixel give that of v·(1 + cos(turn · distance)) over any stretch.
 */
function fader(longest, reach, turn) {
  const padded = longest + 2 * reach;
  const [cos, sin] = [Math.cos, Math.sin].map((wave) => Float64Array.from({ length: padded }, (_, at) => wave(at * turn)));
  const [plain, cosines, sines] = [0, 1, 2].map(() => new Float64Array(padded + 1));
  let total = 1;
  for (let tap = -reach; tap <= reach; tap++) total += Math.cos(tap * turn) + (tap === 0 ? 0 : 1);
  return (values, start, step, length) => {
    for (let at = 0; at < length + 2 * reach; at++) {
      const value = values[start + Math.min(length - 1, Math.max(0, at - reach)) * step]; // beyond the border as the last
      plain[at + 1] = plain[at] + value;
      cosines[at + 1] = cosines[at] + value * cos[at];
      sines[at + 1] = sines[at] + value * sin[at];
    }
    for (let at = 0; at < length; at++) {
      const [end, middle] = [at + 2 * reach + 1, at + reach];
      const waved = cos[middle] * (cosines[end] - cosines[at]) + sin[middle] * (sines[end] - sines[at]);
      values[start + at * step] = (plain[end] - plain[at] + waved) / total;
    }
  };
}

const clamp = (value) => Math.min(1, Math.max(0, value));
const least = (values) => values.reduce((a, b) => Math.min(a, b));
const most = (values) => values.reduce((a, b) => Math.max(a, b));
