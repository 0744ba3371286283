/** Mix: two to four photos at the corners of a pad, and a dot between them that says how much of each. */

import { LEAST, MOST, mixedIn, places, pointOf, weightsAt, withMix } from "../mixing.js";
import { thumbnailOf, titleOf, photoOf } from "../photos.js";
import { swapOf, withStructure, withTexture } from "../recipe.js";
import { pad as makePad } from "../ui/pad.js";
import { text } from "../text.js";

export const id = "mix";
export const title = text.screens.mix;

const words = text.mix;
const OTHER = "other"; // the place of what is not mixed: the structure of mixed textures, the texture of structures
const WANDER = 9; // seconds for one way round

let ends = [];
let give = null;
let remembered = "texture"; // what the user last chose to mix

export function mount(root, studio) {
  const { h, icon } = studio.ui;
  const local = { what: remembered, images: [], point: { x: 0.5, y: 0.5 }, active: 0, wandering: 0 };
  const recipe = () => studio.state.get().recipe;

  // ── the document ──────────────────────────────────────────────────────────
  /** Read corners and dot off the recipe; where nothing is mixed yet, offer photos of the gallery. */
  function readRecipe() {
    const now = recipe();
    if (!now) return;
    local.what = mixedIn(now) ?? local.what;
    const parts = local.what === "structure" ? now.structures : now.textures;
    if (parts.length > 1) {
      local.images = parts.slice(0, MOST).map((part) => part.image);
      local.point = pointOf(parts.slice(0, MOST).map((part) => part.weight));
      return;
    }
    const one = parts[0]?.image ?? now.structures[0].image;
    if (!local.images.includes(one)) local.images = offered(studio, now, local.what, one);
    local.point = places(local.images.length)[local.images.indexOf(one)];
  }

  function writeRecipe(label, merge = null) {
    const now = recipe();
    if (!now || local.images.length < LEAST) return;
    const weights = weightsAt(local.images.length, local.point);
    studio.state.set({ recipe: withMix(now, local.what, local.images, weights) }, { undoable: label, merge });
  }

  // ── the pad ───────────────────────────────────────────────────────────────
  const pad = makePad({
    onMove(point) {
      stop();
      moveTo(point);
    },
    onEnd: () => studio.history.seal(),
    onCorner(at) {
      local.active = at;
      show();
    },
  });

  function moveTo(point) {
    local.point = point;
    writeRecipe(words.moved, "mix");
    show();
  }

  const axis = (name, label) =>
    studio.ui.slider({
      label,
      min: 0,
      max: 100,
      step: 5,
      unit: " %",
      value: 50,
      reset: 50,
      onInput(value) {
        stop();
        pointTo(name, value / 100);
      },
      onChange: () => studio.history.seal(),
    });
  const [across, down] = [axis("x", words.across), axis("y", words.down)];

  function pointTo(name, value) {
    const count = local.images.length;
    moveTo(pointOf(weightsAt(count, { ...local.point, [name]: value })));
  }

  // ── what is mixed, and of what ────────────────────────────────────────────
  const what = studio.ui.segmented({
    label: words.what,
    value: local.what,
    options: [
      { value: "texture", label: text.texture },
      { value: "structure", label: text.structure },
      { value: "both", label: words.both },
    ],
    onChange(value) {
      remembered = value;
      local.what = value;
      if (value !== "texture") local.images = fitting(studio, recipe(), local.images);
      local.point = pointOf(weightsAt(local.images.length, local.point));
      writeRecipe(words.mixes(value));
      show();
    },
  });

  function choose(image, how = {}) {
    if (!image) return;
    if (!recipe()) {
      studio.state.set({ recipe: swapOf(image.id, image.id) }, { undoable: words.based(image.title) });
      return;
    }
    if (local.active === OTHER) {
      const set = local.what === "structure" ? withTexture : withStructure;
      studio.state.set({ recipe: set(recipe(), image.id) }, { undoable: words.based(image.title), merge: how.isBrowsing ? "mix-base" : null });
      return;
    }
    if (local.images.length < LEAST && !local.images.includes(image.id)) return void join(image);
    local.images = local.images.map((own, at) => (at === local.active ? image.id : own));
    writeRecipe(words.cornerIs(local.active + 1, image.title), how.isBrowsing ? "mix-corner" : null);
    show();
  }

  function add() {
    const { images } = studio.state.get();
    join(images.find((image) => !local.images.includes(image.id)) ?? images[0]);
  }

  /** Give a photo a corner of its own. */
  function join(image) {
    local.images = [...local.images, image.id];
    local.active = local.images.length - 1;
    local.point = pointOf([...weightsAt(local.images.length - 1, local.point), 0]);
    writeRecipe(words.added);
    show();
  }

  function remove() {
    const at = local.active === OTHER ? local.images.length - 1 : local.active;
    const weights = weightsAt(local.images.length, local.point).filter((_, other) => other !== at);
    local.images = local.images.filter((_, other) => other !== at);
    local.active = Math.min(at, local.images.length - 1);
    local.point = pointOf(weights.some((weight) => weight > 0) ? weights : weights.map(() => 1));
    writeRecipe(words.removed);
    show();
  }

  // ── the dot on its own way ────────────────────────────────────────────────
  function wander() {
    if (local.wandering) return stop();
    const start = performance.now();
    local.wandering = setInterval(() => {
      const turn = (2 * Math.PI * (performance.now() - start)) / (1000 * WANDER);
      const free = { x: 0.5 - 0.5 * Math.cos(turn), y: 0.5 - 0.5 * Math.cos(2 * turn + 1) };
      moveTo(pointOf(weightsAt(local.images.length, free)));
    }, 60);
    return show();
  }

  function stop() {
    if (!local.wandering) return;
    clearInterval(local.wandering);
    local.wandering = 0;
    studio.history.seal();
    show();
  }

  // ── the page ──────────────────────────────────────────────────────────────
  const button = (name, label, run) => h("button", { class: "tool", "aria-label": label, title: label, onclick: run }, icon(name));
  const plus = button("plus", words.add, add);
  const minus = button("minus", words.remove, remove);
  const center = button("fit", words.center, () => moveTo(pointOf(local.images.map(() => 1))));
  const play = button("play", words.play, wander);
  const other = h("button", { class: "base", onclick: () => ((local.active = OTHER), show()) });
  const picker = studio.ui.picker(studio, { label: words.corners, kind: "plain", onPick: choose });
  const target = h("h3", { class: "target", "aria-live": "polite" });
  const stage = studio.ui.stage(studio, { drag: true, label: () => spoken(studio, local) });
  root.append(
    h("h2", { class: "unseen" }, text.screens.mix),
    h(
      "section",
      { class: "mixer", "aria-label": words.of },
      what.root,
      pad.root,
      h("div", { class: "pad-tools" }, other, h("span", { class: "group" }, plus, minus, center, play)),
      h("details", { class: "numbers" }, h("summary", {}, words.numbers), across.root, down.root, pad.help),
      h("div", { class: "corner-picker" }, target, picker.root),
    ),
    stage.root,
  );

  function show() {
    const now = recipe();
    pad.root.hidden = !now;
    for (const one of [plus, minus, center, play]) one.disabled = !now;
    if (!now) return void (other.hidden = true);
    const named = (image) => ({ title: titleOf(studio, image), url: thumbnailOf(studio, image) });
    what.value = local.what;
    pad.show({ corners: local.images.map(named), point: local.point, active: local.active });
    [across.value, down.value] = [100 * local.point.x, 100 * local.point.y];
    down.root.hidden = local.images.length < 3;
    plus.disabled = local.images.length >= MOST;
    minus.disabled = local.images.length <= LEAST;
    showOther(now);
    target.textContent = local.active === OTHER ? otherLabel() : words.choose(local.active + 1);
    picker.selected = local.active === OTHER ? otherImage(now) : local.images[local.active];
    const label = local.wandering ? words.pause : words.play;
    studio.ui.refill(play, icon(local.wandering ? "pause" : "play"));
    play.title = label;
    play.setAttribute("aria-label", label);
  }

  const otherImage = (now) => (local.what === "structure" ? now.textures[0] : now.structures[0])?.image ?? null;
  const otherLabel = () => (local.what === "structure" ? words.textureOf : words.structureOf);

  function showOther(now) {
    other.hidden = local.what === "both";
    if (other.hidden && local.active === OTHER) local.active = 0;
    const image = otherImage(now);
    const name = image ? titleOf(studio, image) : words.own;
    studio.ui.refill(other, image && h("img", { src: thumbnailOf(studio, image) ?? "", alt: "" }), h("span", {}, h("small", {}, otherLabel()), name));
    other.setAttribute("aria-pressed", String(local.active === OTHER));
  }

  give = (images) => images.slice(0, MOST).forEach((image, at) => {
    if (at > 0) local.active = local.active === OTHER ? 0 : (local.active + 1) % local.images.length;
    choose(image);
  });
  ends = [
    studio.state.subscribe((now, before) => {
      if (now.recipe === before.recipe && now.images === before.images) return;
      if (now.recipe !== before.recipe) readRecipe();
      show();
    }),
    studio.keys.add({ id: "wander", keys: ["p"], label: words.play, area: text.screens.mix, run: wander, once: true }),
    stop,
    () => stage.destroy(),
    () => picker.destroy(),
  ];
  readRecipe();
  show();
}

export function unmount() {
  for (const end of ends) end();
  ends = [];
}

/** Photos dropped on the page take the chosen corner, and those after it. */
export function accept(images) {
  give(images);
}

/** The photo itself and further ones, four in all; of structures only those of its size. */
function offered(studio, recipe, what, one) {
  const first = photoOf(studio, recipe.structures[0].image);
  const fits = (image) => what === "texture" || !first || (image.width === first.width && image.height === first.height);
  const others = studio.state.get().images.filter((image) => image.id !== one && fits(image));
  const front = what === "texture" && recipe.structures[0].image !== one ? [recipe.structures[0].image] : [];
  return [...new Set([...front, one, ...others.map((image) => image.id)])].slice(0, MOST);
}

/** Those of a list that have the first structure's size; with others put in the places of the rest. */
function fitting(studio, recipe, images) {
  const all = offered(studio, recipe, "structure", recipe.structures[0].image);
  const first = photoOf(studio, recipe.structures[0].image);
  const has = (image) => !first || (image?.width === first.width && image?.height === first.height);
  const spare = all.filter((image) => !images.includes(image));
  return images.map((image) => (has(photoOf(studio, image)) ? image : (spare.shift() ?? image)));
}

function spoken(studio, { images, point }) {
  const weights = weightsAt(images.length || 1, point);
  return images.map((image, at) => words.weight(titleOf(studio, image), Math.round(100 * weights[at]))).join(", ");
}
