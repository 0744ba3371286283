// Changes of a recipe that Paint makes, as functions from recipe to recipe: the document is never changed in place.

export const MOST_LAYERS = 32;

export function withLayers(recipe, layers) {
  return { ...recipe, layers };
}

/** Lay a new layer on top. */
export function added(recipe, texture, mask, options = {}) {
  return withLayers(recipe, [...recipe.layers, { texture, mask, strength: 1, feather: 0, visible: true, ...options }]);
}

/** Change some fields of a layer. */
export function changed(recipe, at, fields) {
  return withLayers(recipe, recipe.layers.map((layer, number) => (number === at ? { ...layer, ...fields } : layer)));
}

/** Give a layer another mask; directions that were kept to its old one follow, unless another layer has that too. */
export function repainted(recipe, at, mask) {
  const old = recipe.layers[at].mask;
  const isShared = recipe.layers.some((layer, number) => number !== at && layer.mask === old);
  const directions = recipe.directions.map((one) => (one.mask === old && !isShared ? { ...one, mask } : one));
  return { ...changed(recipe, at, { mask }), directions };
}

export function removed(recipe, at) {
  return withLayers(recipe, recipe.layers.filter((_, number) => number !== at));
}

/** Move a layer up (+1) or down (−1) in the pile. */
export function moved(recipe, at, by) {
  const to = Math.min(recipe.layers.length - 1, Math.max(0, at + by));
  const layers = [...recipe.layers];
  layers.splice(to, 0, ...layers.splice(at, 1));
  return withLayers(recipe, layers);
}

/** Tell whether painting a texture on this recipe would show nothing, as the whole picture has it already. */
export function isPaintedOver(recipe, texture) {
  const [only, ...more] = recipe.textures.filter((part) => part.weight > 0);
  return recipe.strength === 1 && only !== undefined && more.length === 0 && only.image === texture;
}
