// What is done with one photo: it is sent, its picture is made and fetched, and the server forgets it again.

import { Later } from "./queue.js";

const AWAY = 3; // seconds before a server that does not answer is tried again
const BUSY = 1; // where it is full and does not say for how long

/** The recipe for another photo: its own structure, and all of the look that is not tied to places in one picture. */
export function recipeFor(recipe, image) {
  const directions = recipe.directions.filter(({ mask }) => !mask);
  return { ...recipe, structures: [{ image, weight: 1 }], directions, layers: [], outside: "plain" };
}

/** Whether a recipe does anything to other photos. */
export function hasLook(recipe) {
  if (!recipe) return false;
  const moves = recipe.directions.some(({ mask, strength }) => !mask && strength !== 0);
  return moves || (recipe.textures.length > 0 && recipe.strength !== 0);
}

/** Say what of a recipe does not apply to other photos, "" if all does. */
export function leftOut(recipe) {
  const layers = recipe.layers.filter(({ visible }) => visible !== false).length;
  const masked = recipe.directions.filter(({ mask }) => mask).length;
  if (!layers && !masked) return "";
  return "What is painted by masks belongs to one picture and is left out here.";
}

/** Make the function that a Queue calls. `recipe()` gives the look to apply, `isKept(id)` whether other screens use an image. */
export function worker(api, recipe, isKept) {
  const users = new Map(); // id → how many photos under way have it: equal photos have one id

  async function send(item, signal) {
    await readable(item.file);
    const { value: info } = await api.call("images", { method: "POST", body: item.file, signal });
    users.set(info.id, (users.get(info.id) ?? 0) + 1);
    return info;
  }

  async function forget(id) {
    const left = users.get(id) - 1;
    if (left > 0) return void users.set(id, left);
    users.delete(id);
    if (!isKept(id)) await api.call(`images/${encodeURIComponent(id)}`, { method: "DELETE", as: "nothing" }).catch(() => {});
    return undefined;
  }

  async function picture(item, { signal, enter }) {
    enter("sending");
    const info = await send(item, signal);
    try {
      enter("rendering");
      const json = { recipe: recipeFor(recipe(), info.id), side: null };
      const { value: blob } = await api.call("save", { method: "POST", json, signal, as: "blob" });
      return { blob, width: info.width, height: info.height };
    } finally {
      await forget(info.id);
    }
  }

  return async function work(item, how) {
    try {
      return await picture(item, how).catch((error) => {
        if (error.status === 404) return picture(item, how); // the server needed the room in between
        throw error;
      });
    } catch (error) {
      throw judged(error);
    }
  };
}

/** A file may have gone since it was chosen; the browser would call that a failure of the network. */
async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Error("This file can no longer be read: it was moved or changed after it was chosen.");
  }
}

/** Tell errors that pass from those that stay. */
function judged(error) {
  if (error.status === 429) return new Later(error.retryAfter ?? BUSY, "The studio is busy; the batch goes on by itself.");
  if (error.status === 503) return new Later(error.retryAfter ?? AWAY, "The studio is not ready; the batch goes on by itself.");
  if (error.code === "offline") return new Later(AWAY, "The studio does not answer; the batch goes on when it is back.");
  if (error.status === 401) return new Later(AWAY, error.message);
  return error;
}
