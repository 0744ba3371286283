/**
 * Codes as points of a sphere, as `swapae.editing` has them: a code {data, dims: [1, C, h, w]} has one at each place.
 * Computed in float64 and stored as float32.
 */

const NO_PLANE = 1e-6;
const ROUNDS = 64;
const PRECISE = 5e-6; // radians

/** Turn `a` along the great circle through `b`; equal steps of `amount` are equal angles. */
export function slerp(a, b, amount) {
  return placeByPlace([a, b], ([u, v]) => {
    const between = angle(u, v);
    const wanted = Math.min(Math.max(between * amount, (between - Math.PI) / 2), (between + Math.PI) / 2);
    return turned(u, v, wanted);
  });
}

/** The point in the middle of codes by their weights: the least weighted mean of squared angles. */
export function sphericalMean(codes, weights) {
  const all = sharesOf(weights);
  const [used, shares] = [codes.filter((_, at) => all[at] > 0), all.filter((share) => share > 0)];
  return placeByPlace(used, (points) => meanOf(points.map(unit), shares));
}

/** The weighted sum, whose length the generator drops. */
export function blend(codes, weights) {
  return placeByPlace(codes, (points) => sumOf(points, weights));
}

/** Weights divided by their sum. */
export function sharesOf(weights) {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function meanOf(points, shares) {
  const total = sumOf(points, shares);
  const heaviest = points[shares.indexOf(Math.max(...shares))];
  let mean = length(total) > 1e-3 ? unit(total) : heaviest;
  for (let round = 0; round < ROUNDS; round++) {
    const step = sumOf(points.map((point) => tangent(mean, point)), shares.map((share, at) => share * angle(mean, points[at])));
    const size = length(step);
    mean = turned(mean, sumOf([mean, step], [1, 1]), size);
    if (size < PRECISE) break;
  }
  return mean;
}

function placeByPlace(codes, compute) {
  const { dims } = codes[0];
  const [channels, places] = [dims[1], dims[2] * dims[3]];
  const data = new Float32Array(channels * places);
  for (let place = 0; place < places; place++) {
    const points = codes.map((code) => Float64Array.from({ length: channels }, (_, c) => code.data[c * places + place]));
    compute(points).forEach((value, c) => (data[c * places + place] = value));
  }
  return { data, dims };
}

// ── vectors ─────────────────────────────────────────────────────────────────

const dot = (a, b) => a.reduce((sum, value, at) => sum + value * b[at], 0);
const length = (a) => Math.sqrt(dot(a, a));
const sumOf = (points, weights) => points[0].map((_, at) => points.reduce((sum, point, i) => sum + weights[i] * point[at], 0));
const scaled = (a, by) => a.map((value) => value * by);
const unit = (a) => scaled(a, 1 / Math.max(length(a), 1e-12));

/** By W. Kahan's formula, precise also near 0 and near π. */
function angle(a, b) {
  const [u, v] = [unit(a), unit(b)];
  return 2 * Math.atan2(length(sumOf([u, v], [1, -1])), length(sumOf([u, v], [1, 1])));
}

function turned(start, toward, by) {
  const u = unit(start);
  return sumOf([u, tangent(u, unit(toward))], [Math.cos(by), Math.sin(by)]);
}

function tangent(u, v) {
  const across = orthogonal(orthogonal(v, u), u); // twice: the first time leaves what rounding left
  const size = length(across);
  return size > NO_PLANE ? scaled(across, 1 / size) : anyTangent(u);
}

const orthogonal = (v, u) => sumOf([v, u], [1, -dot(u, v)]);

function anyTangent(u) {
  const sizes = Array.from(u, Math.abs);
  const axis = new Float64Array(u.length);
  axis[sizes.indexOf(Math.min(...sizes))] = 1;
  return unit(orthogonal(axis, u));
}
