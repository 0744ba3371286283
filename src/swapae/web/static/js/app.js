/** The start: brings server, document, history and screens together. A swap is on screen before anybody clicks. */

import { createApi } from "./api.js";
import { Store } from "./batch/store.js";
import { createFrame } from "./frame.js";
import { createHistory } from "./history.js";
import { createKeys } from "./keys.js";
import { createLive } from "./live.js";
import { createPhotos } from "./photos.js";
import { swapOf } from "./recipe.js";
import { createState } from "./state.js";
import * as ui from "./ui/index.js";
import { watchPage } from "./ui/intake.js";
import { text } from "./text.js";

/** The screens, in order; each is loaded when it is first opened: {id, title, prepare?(studio), mount(root, studio), unmount?, accept?, settled?}. */
export const SCREENS = [
  { id: "swap", load: () => import("./screens/swap.js") },
  { id: "mix", load: () => import("./screens/mix.js") },
  { id: "paint", load: () => import("./screens/paint.js") },
  { id: "directions", load: () => import("./screens/directions.js") },
  { id: "batch", load: () => import("./screens/batch.js") },
  { id: "runs", load: () => import("./screens/runs.js") },
].map((screen, at) => ({ ...screen, title: text.screens[screen.id], key: String(at + 1) }));

function createStudio() {
  const api = createApi();
  const state = createState({ model: null, gallery: [], images: [], pending: 0, recipe: null, screen: null, opened: null });
  const history = createHistory(state);
  const keys = createKeys();
  const live = createLive({ api, state, history });
  const photos = createPhotos({ api, state, history, toast: ui.toast, announce: ui.announce });
  return { api, state, history, keys, live, photos, ui, toast: ui.toast, announce: ui.announce };
}

/** Ask for model and gallery until they come, however long the model takes to load. */
async function opened(studio, waiting) {
  for (;;) {
    try {
      const [model, gallery] = await Promise.all([studio.api.model(), studio.api.gallery()]);
      return { model, gallery };
    } catch (error) {
      if (!error.isTemporary && error.code !== "offline") throw error;
      waiting(error);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** Two photos of the gallery for the first picture; of one photo a swap with itself. */
function firstRecipe(gallery) {
  const [structure, texture = structure] = gallery;
  return structure ? swapOf(structure.id, texture.id) : null;
}

async function start() {
  if (location.search) globalThis.history.replaceState(null, "", location.pathname + location.hash); // the token's link
  const studio = createStudio();
  const root = document.getElementById("screen");
  const frame = createFrame(studio, SCREENS, root);
  Object.assign(studio, frame.actions);
  try {
    const { model, gallery } = await opened(studio, (error) => frame.opening(error));
    const images = gallery.map((info) => studio.photos.entry(info, { source: "gallery" }));
    studio.state.set({ model, gallery, images });
    studio.state.set({ recipe: firstRecipe(images) });
    watchPage(studio, frame.accept);
    await frame.go(location.hash.slice(1) || SCREENS[0].id);
    if (Store.isLikely) await (await import("./screens/batch.js")).prepare(studio); // it goes on, whatever screen is open
  } catch (error) {
    if (error.status === 401) return askToken(studio, root);
    console.error(error);
    ui.refill(root, ui.emptyState({ name: "warning", kind: "bad", title: text.failedStart, hint: error.message, action: { label: text.retry, run: () => location.reload() } }));
  }
  return null;
}

/** A studio with a token, opened without the link that carries it. */
function askToken(studio, root) {
  const { h } = ui;
  const id = ui.freshId("token");
  const input = h("input", { type: "password", id, class: "field-text", autocomplete: "off", required: true });
  const form = h("form", { class: "state" }, ui.icon("model", 36), h("p", { class: "state-title" }, text.locked), h("label", { htmlFor: id }, text.token), input, h("p", { class: "hint" }, text.tokenHint), h("button", { class: "main" }, text.unlock));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await studio.api.unlock(input.value.trim());
      location.reload();
    } catch (error) {
      studio.toast(error.message, { kind: "error" });
    }
  });
  for (const name of ["notice", "tabs"]) document.getElementById(name).hidden = true;
  ui.refill(root, form);
  input.focus();
}

start();
