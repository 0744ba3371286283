/** Pure functions on recipes (version 1): what screens do to the document. */

/** A plain swap of two images. */
export function swapOf(structure, texture, strength = 1) {
  return {
    version: 1,
    structures: [{ image: structure, weight: 1 }],
    textures: [{ image: texture, weight: 1 }],
    strength,
    path: "sphere",
    directions: [],
    layers: [],
    outside: "plain",
    seed: null,
  };
}

/** The same with one image as its structure. */
export function withStructure(recipe, image) {
  return { ...recipe, structures: [{ image, weight: 1 }] };
}

/** The same with one image as its texture. */
export function withTexture(recipe, image) {
  return { ...recipe, textures: [{ image, weight: 1 }] };
}

/** The same with an image in the place of another. */
export function withOther(recipe, image, other) {
  const put = (part) => (part.image === image ? { ...part, image: other } : part);
  const layers = recipe.layers.map((layer) => (layer.texture === image ? { ...layer, texture: other } : layer));
  return { ...recipe, structures: recipe.structures.map(put), textures: recipe.textures.map(put), layers };
}

/** Structure and texture change places. */
export function exchanged(recipe) {
  return { ...recipe, structures: recipe.textures, textures: recipe.structures };
}

/** The ids of all images a recipe needs. */
export function imagesOf(recipe) {
  const layers = recipe.layers.map((layer) => layer.texture);
  return new Set([...recipe.structures, ...recipe.textures].map((part) => part.image).concat(layers));
}

/** Whether two recipes say the same. */
export function isSame(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** A number for people: at most `digits` behind the point, no trailing zeros. */
export function shown(value, digits = 2) {
  return String(Number(Number(value).toFixed(digits)));
}
