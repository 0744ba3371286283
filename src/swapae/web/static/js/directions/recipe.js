// Changes of a recipe that Directions makes, as functions from recipe to recipe.

export const MOST_MOVES = 32;
const STILL = { strength: 0, mask: null, feather: 0 };

/** Give a recipe's move along a direction; of one it does not have, the one that moves nothing. */
export function moveOf(recipe, name) {
  return recipe.directions.find((move) => move.name === name) ?? { name, ...STILL };
}

/** Change a move; one that moves nothing, anywhere, is left out. */
export function moving(recipe, name, fields) {
  const move = { ...moveOf(recipe, name), ...fields };
  const isNothing = move.strength === 0 && move.mask === null;
  const isThere = recipe.directions.some((other) => other.name === name);
  if (isNothing) return { ...recipe, directions: recipe.directions.filter((other) => other.name !== name) };
  if (!isThere) return { ...recipe, directions: [...recipe.directions, move] };
  return { ...recipe, directions: recipe.directions.map((other) => (other.name === name ? move : other)) };
}

/** Leave a direction out, or all of them. */
export function without(recipe, name = null) {
  return { ...recipe, directions: name === null ? [] : recipe.directions.filter((move) => move.name !== name) };
}

/** Write down what the pictures along a direction depend on: all of the recipe, but its strength of that direction. */
export function stripKey(recipe, name) {
  const still = moving(recipe, name, { strength: 1 });
  return JSON.stringify({ ...still, directions: still.directions.map((move) => (move.name === name ? { ...move, strength: 0 } : move)) });
}
