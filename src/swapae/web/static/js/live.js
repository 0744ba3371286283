/**
 * Keeps the picture on screen true to the recipe. A change asks for a fast frame; where the server answers with a
 * smaller one (the full one takes longer than 150 ms) and nothing newer is wanted, the full one is asked for, and given
 * up as soon as the recipe changes again. An older frame is never shown after a newer one.
 */

import { Superseded } from "./channel.js";
import { ApiError } from "./refusals.js";
import { photoOf } from "./photos.js";

const THUMBNAIL = 112; // pixels
const EXACT = 256; // pixels a side, up to which pictures come without loss: small ones are shown much enlarged

export function createLive({ api, state, history }) {
  const listeners = new Set();
  let last = null; // the newest frame shown
  let wanted = 0; // counts the recipes asked for
  let error = null;
  let isWorking = false;

  function tell(kind) {
    for (const listener of [...listeners]) listener(kind, { frame: last, error, isWorking });
  }

  async function accept(frame, recipe) {
    const bitmap = frame.bitmap ?? (await createImageBitmap(frame.blob));
    if (last && frame.seq < last.seq) return bitmap.close();
    const { width, height } = frame.isFull ? frame : (photoOf({ state }, recipe.structures[0].image) ?? last ?? frame);
    last?.bitmap.close();
    last = { ...frame, bitmap, recipe, fullWidth: width, fullHeight: height };
    error = null;
    tell("frame");
    return null;
  }

  function formatFor(recipe) {
    const { width, height } = photoOf({ state }, recipe.structures[0].image) ?? { width: Infinity, height: Infinity };
    return Math.max(width, height) <= EXACT ? "png" : "webp";
  }

  async function show(recipe) {
    wanted += 1;
    const own = wanted;
    isWorking = true;
    tell("work");
    try {
      const format = formatFor(recipe);
      const quick = await api.render(recipe, { quality: "fast", format, urgent: true });
      await accept(quick, recipe);
      if (!quick.isFull && own === wanted) await accept(await api.render(recipe, { quality: "full", format }), recipe);
      if (own === wanted) finished(recipe);
    } catch (failure) {
      if (own !== wanted) return;
      if (failure instanceof Superseded) givenUp();
      else failed(failure);
    }
  }

  function finished(recipe) {
    isWorking = false;
    tell("done");
    thumbnail(last.bitmap).then((blob) => blob && history.picture(recipe, blob));
  }

  /** Somebody pressed Escape. */
  function givenUp() {
    isWorking = false;
    tell("done");
  }

  function failed(failure) {
    isWorking = false;
    error = failure;
    tell("error");
    if (!(failure instanceof ApiError)) console.error(failure);
  }

  state.subscribe((now, before) => {
    if (now.recipe && now.recipe !== before.recipe) show(now.recipe);
  });
  api.onStatus((status, before) => {
    const isBack = status === "ready" && before !== "busy";
    if (isBack && error && state.get().recipe) show(state.get().recipe);
  });

  return {
    get frame() {
      return last;
    },
    get error() {
      return error;
    },
    get isWorking() {
      return isWorking;
    },
    again: () => state.get().recipe && show(state.get().recipe),
    /** listener(kind, {frame, error, isWorking}), kind being work, frame, done or error. */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Draw a small picture of a frame. */
async function thumbnail(bitmap) {
  const scale = Math.min(1, THUMBNAIL / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.85));
}
