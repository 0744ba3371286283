/** From a recipe to codes, as the studio's `compose.py` does: mix, then turn the own texture toward the others'. */

import { blend, sharesOf, slerp, sphericalMean } from "./sphere.js";

/**
 * @param {object} recipe
 * @param {{codes: (id) => Promise<object>, structure: (id, size) => Promise<object>}} held gives {structure, texture, size} of
 *   an image, and its structure at a size.
 */
export async function hybrid(recipe, held) {
  const first = await held.codes(recipe.structures[0].image);
  const { size } = first;
  const structure = await structureOf(recipe, first, held);
  const used = recipe.textures.filter((part) => part.weight > 0);
  if (!used.length || recipe.strength === 0) return { structure, texture: first.texture, size };
  const textures = [];
  for (const part of used) textures.push((await held.codes(part.image)).texture);
  const target = mixed(textures, used, recipe.path);
  if (recipe.strength === 1) return { structure, texture: target, size };
  return { structure, texture: toward(first.texture, target, recipe), size };
}

async function structureOf(recipe, first, held) {
  const used = recipe.structures.filter((part) => part.weight > 0);
  if (used.length === 1 && used[0] === recipe.structures[0]) return first.structure;
  const structures = [];
  for (const part of used) structures.push(await held.structure(part.image, first.size));
  return mixed(structures, used, recipe.path);
}

function mixed(codes, parts, path) {
  if (codes.length === 1) return codes[0];
  const weights = parts.map((part) => part.weight);
  return path === "line" ? blend(codes, sharesOf(weights)) : sphericalMean(codes, weights);
}

function toward(own, target, { strength, path }) {
  return path === "line" ? blend([own, target], [1 - strength, strength]) : slerp(own, target, strength);
}

/** Bring codes to a part of their size, by averaging the structure over areas. */
export function smaller({ structure, texture, size }, scale) {
  const [, channels, high, wide] = structure.dims;
  const [height, width] = [high, wide].map((side) => Math.max(1, Math.round(side * scale)));
  if (height === high && width === wide) return { structure, texture, size };
  const data = new Float32Array(channels * height * width);
  for (let c = 0, to = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, to++) data[to] = meanOver(structure.data, c * high * wide, wide, part(y, high, height), part(x, wide, width));
    }
  }
  const less = [Math.floor((size[0] * height) / high), Math.floor((size[1] * width) / wide)].map((side) => Math.max(1, side));
  return { structure: { data, dims: [1, channels, height, width] }, texture, size: less };
}

const part = (at, from, to) => [Math.floor((at * from) / to), Math.ceil(((at + 1) * from) / to)];

function meanOver(data, start, wide, [top, bottom], [left, right]) {
  let sum = 0;
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += data[start + y * wide + x];
  return sum / ((bottom - top) * (right - left));
}
