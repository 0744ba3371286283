/**
 * Weights of two to four corners from a point of the pad, and back. Two lie on a line and four on a square (bilinear),
 * three on a triangle (barycentric); in each the point is the weighted mean of the corners.
 */

const PLACES = {
  1: [[0.5, 0.5]],
  2: [[0, 0.5], [1, 0.5]],
  3: [[0.5, 0], [0, 1], [1, 1]],
  4: [[0, 0], [1, 0], [0, 1], [1, 1]],
};

export const LEAST = 2;
export const MOST = 4;

/** Where the corners lie, in 0…1 from the left and from above. */
export function places(count) {
  return PLACES[count].map(([x, y]) => ({ x, y }));
}

/** The nearest point the pad has. */
export function bounded(count, { x, y }) {
  const within = (value, low, high) => Math.min(high, Math.max(low, value));
  if (count <= 2) return { x: within(x, 0, 1), y: 0.5 };
  const down = within(y, 0, 1);
  if (count === 4) return { x: within(x, 0, 1), y: down };
  return { x: within(x, 0.5 - down / 2, 0.5 + down / 2), y: down };
}

/** The weights at a point; they sum to 1. */
export function weightsAt(count, point) {
  const { x, y } = bounded(count, point);
  if (count === 1) return [1];
  if (count === 2) return [1 - x, x];
  if (count === 4) return [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
  const right = Math.max(0, x - 0.5 * (1 - y));
  return [1 - y, Math.max(0, y - right), right];
}

/** The point where a set of weights lies: the weighted mean of the corners. */
export function pointOf(weights) {
  const sum = weights.reduce((total, weight) => total + weight, 0) || 1;
  const corners = places(weights.length);
  const mean = (axis) => weights.reduce((total, weight, at) => total + weight * corners[at][axis], 0) / sum;
  return { x: mean("x"), y: mean("y") };
}

/** What is mixed in a recipe: "texture", "structure" or "both"; null where nothing is. */
export function mixedIn({ structures, textures }) {
  const [many, more] = [structures.length > 1, textures.length > 1];
  if (many && more) return "both";
  return many ? "structure" : more ? "texture" : null;
}

/** A recipe in which photos are mixed by weights. */
export function withMix(recipe, what, images, weights) {
  const parts = images.map((image, at) => ({ image, weight: Number(weights[at].toFixed(4)) }));
  const own = recipe.structures[0];
  if (what === "texture") return { ...recipe, structures: [{ ...own, weight: 1 }], textures: parts };
  if (what === "structure") return { ...recipe, structures: parts, textures: single(recipe.textures) };
  return { ...recipe, structures: parts, textures: parts };
}

function single(parts) {
  const heaviest = [...parts].sort((a, b) => b.weight - a.weight)[0];
  return heaviest ? [{ ...heaviest, weight: 1 }] : [];
}
