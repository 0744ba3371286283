/** The start: the studio's screens for swapping and mixing, with a worker on this machine in place of its server. */

import { words } from "./words.js";
import { createFrame } from "../frame.js";
import { createHistory } from "../history.js";
import { createKeys } from "../keys.js";
import { createLive } from "../live.js";
import { createPhotos } from "../photos.js";
import { swapOf } from "../recipe.js";
import { createState } from "../state.js";
import * as ui from "../ui/index.js";
import { watchPage } from "../ui/intake.js";
import { text } from "../text.js";
import { createApi } from "./api.js";
import { createEngine } from "./engine.js";

const SCREENS = [
  { id: "swap", load: () => import("../screens/swap.js") },
  { id: "mix", load: () => import("../screens/mix.js") },
].map((screen, at) => ({ ...screen, title: text.screens[screen.id], key: String(at + 1) }));

const root = document.getElementById("screen");
const base = new URL("../../", import.meta.url);

function createStudio(api) {
  const state = createState({ model: null, gallery: [], images: [], pending: 0, recipe: null, screen: null, opened: null });
  const history = createHistory(state);
  const keys = createKeys();
  const live = createLive({ api, state, history });
  const photos = createPhotos({ api, state, history, toast: ui.toast, announce: ui.announce });
  return { api, state, history, keys, live, photos, ui, toast: ui.toast, announce: ui.announce };
}

async function start() {
  try {
    const page = await (await fetch(new URL("page.json", base))).json();
    document.title = page.title;
    const engine = await opened(page);
    const api = createApi(engine, page, base, (sentence) => ui.toast(sentence, { stay: false }));
    const studio = createStudio(api);
    Object.assign(globalThis, { swapae: studio }); // for whoever wants the numbers: swapae.api.floats(swapae.state.get().recipe)
    const frame = createFrame(studio, SCREENS, root);
    Object.assign(studio, frame.actions);
    const images = page.samples.map((sample) => studio.photos.entry(infoOf(sample), { source: "gallery" }));
    studio.state.set({ model: modelOf(page, engine.opened), gallery: images, images });
    studio.state.set({ recipe: firstSwap(images) });
    watchPage(studio, frame.accept);
    await frame.go(location.hash.slice(1) || SCREENS[0].id);
  } catch (error) {
    console.warn(error);
    const action = { label: text.retry, run: () => location.reload() };
    ui.refill(root, ui.emptyState({ name: "warning", kind: "bad", title: text.failedStart, hint: error.message, action }));
  }
}

/** Load the model, and show how much of it is here. */
async function opened(page) {
  const bar = ui.progress(words.loading(page.title));
  const note = ui.h("p", { class: "state-title", role: "status" }, words.loading(page.title));
  ui.refill(root, ui.h("div", { class: "loading" }, note, bar.root));
  const engine = createEngine({
    onProgress: (have, all) => (have < all ? bar.set(have / all, words.loaded(have, all)) : bar.set(null, words.starting)),
    onMoved: (backend) => (say(backend), ui.toast(words.moved)),
  });
  const wanted = new URLSearchParams(location.search).get("backend") ?? "";
  const found = await engine.ask("open", { base: base.href, page, wanted });
  say(found.backend);
  return { ...engine, opened: found };
}

function say(backend) {
  const line = document.getElementById("private");
  line.textContent = words.runs[backend];
  line.dataset.backend = backend;
}

/** Two samples of different things, where there are such. */
function firstSwap([first, ...others]) {
  if (!first) return null;
  const other = others.find((image) => image.title !== first.title) ?? others[0] ?? first;
  return swapOf(first.id, other.id);
}

const infoOf = ({ id, title, size }) => ({ id, title, height: size[0], width: size[1], shrunk: false, has_photo: true });

function modelOf(page, { backend, most, config }) {
  const size = config.image_size;
  const runs = { backend: "ONNX Runtime", device: words.runsBy[backend] };
  return { name: page.name, title: page.title, size, multiple: config.stride, max_side: most, card: page.card, ...runs };
}

start();
