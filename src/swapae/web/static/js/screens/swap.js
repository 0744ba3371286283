/** Swap: the structure of one photo, the texture of another, and how far to go. */

import { exchanged, shown, swapOf, withStructure, withTexture } from "../recipe.js";
import { thumbnailOf, titleOf } from "../photos.js";
import { text } from "../text.js";

export const id = "swap";
export const title = text.screens.swap;
export const key = "1";

const words = text.swap;
const ROLES = {
  structure: { list: "structures", hint: text.structureHint, choose: withStructure },
  texture: { list: "textures", hint: text.textureHint, choose: withTexture },
};

let ends = [];
let next = "structure"; // the slot that the next photo dropped beside any slot goes to
let pick = null;

export function mount(root, studio) {
  const { h } = studio.ui;
  pick = (role, image, isBrowsing = false) => {
    const { recipe } = studio.state.get();
    const whole = recipe ? ROLES[role].choose(recipe, image.id) : swapOf(image.id, image.id);
    next = role === "structure" ? "texture" : "structure";
    studio.state.set({ recipe: whole }, { undoable: words.picked(image.title, text[role].toLowerCase()), merge: isBrowsing ? `browse-${role}` : null });
  };
  const sides = { structure: side(studio, "structure"), texture: side(studio, "texture") };
  const strength = strengthSlider(studio);
  const stage = studio.ui.stage(studio, { drag: true, label: () => resultLabel(studio), tools: resultTools(studio) });
  const exchange = h(
    "button",
    { class: "quiet exchange", title: `${words.exchange} (X)`, "aria-label": words.exchange, onclick: () => swapInputs(studio) },
    studio.ui.icon("swap"),
  );
  root.append(
    sides.structure.root,
    h("div", { class: "middle" }, stage.root, h("div", { class: "controls" }, strength.root, exchange)),
    sides.texture.root,
  );

  function show() {
    const { recipe } = studio.state.get();
    for (const one of Object.values(sides)) one.show(recipe);
    strength.value = recipe?.strength ?? 1;
    strength.disabled = exchange.disabled = !recipe;
  }

  ends = [
    studio.state.subscribe((now, before) => (now.recipe !== before.recipe || now.images !== before.images) && show()),
    studio.keys.add({ id: "exchange", keys: ["x"], label: words.exchange, area: text.screens.swap, run: () => swapInputs(studio) }),
    () => stage.destroy(),
    () => Object.values(sides).forEach((one) => one.destroy()),
  ];
  show();
}

export function unmount() {
  for (const end of ends) end();
  ends = [];
}

/** Photos dropped beside the slots: two become structure and texture, one goes to the slot whose turn it is. */
export function accept(images) {
  if (images.length > 1) {
    pick("structure", images[0]);
    pick("texture", images[1]);
  } else pick(next, images[0]);
}

/** One side: what is chosen for a role, large, and below it all photos to choose from. */
function side(studio, role) {
  const { h, icon } = studio.ui;
  const pictures = h("div", { class: "chosen-picture" });
  const name = h("p", { class: "chosen-name" });
  const slot = h("div", { class: "slot" }, pictures, name);
  const choose = (image, how = {}) => image && pick(role, image, how.isBrowsing);
  const chooser = studio.ui.picker(studio, { label: `${text[role]}: ${text[`${role}Hint`]}`, kind: role, onPick: choose });
  const heading = h("header", {}, icon(role, 22), h("h2", {}, text[role]), h("p", { class: "hint" }, ROLES[role].hint));
  const root = h("section", { class: `side ${role}`, "aria-label": text[role] }, heading, slot, chooser.root);
  const undrop = studio.ui.dropTarget(studio, slot, {
    onImage: choose,
    onFiles: async (files) => choose((await studio.photos.take(files))[0]),
  });

  function show(recipe) {
    const parts = (recipe?.[ROLES[role].list] ?? []).filter((part) => part.weight > 0);
    if (!parts.length) studio.ui.refill(pictures, h("p", { class: "vacant hint" }, icon("image", 32), words.vacant));
    else studio.ui.refill(pictures, parts.slice(0, 4).map((part) => h("img", { src: thumbnailOf(studio, part.image) ?? "", alt: "", draggable: false })));
    pictures.dataset.count = String(Math.min(4, parts.length));
    name.textContent = parts.length > 1 ? words.mixed(parts.length) : parts.length ? titleOf(studio, parts[0].image) : "";
    chooser.selected = parts.length === 1 ? parts[0].image : null;
  }

  return {
    root,
    show,
    destroy() {
      chooser.destroy();
      undrop();
    },
  };
}

function strengthSlider(studio) {
  return studio.ui.slider({
    label: words.strength,
    hint: words.strengthHint,
    kind: "strength",
    min: 0,
    max: 2,
    step: 0.05,
    value: studio.state.get().recipe?.strength ?? 1,
    reset: 1,
    marks: [
      { at: 0, label: words.own },
      { at: 1, label: words.swapped },
      { at: 2, label: words.past },
    ],
    onInput(strength) {
      const { recipe } = studio.state.get();
      if (recipe) studio.state.set({ recipe: { ...recipe, strength } }, { undoable: words.strengthLabel(shown(strength, 3)), merge: "strength" });
    },
    onChange: () => studio.history.seal(),
  });
}

function swapInputs(studio) {
  const { recipe } = studio.state.get();
  if (recipe?.textures.length) studio.state.set({ recipe: exchanged(recipe) }, { undoable: words.exchanged });
}

/** What the result shows, for those who do not see it. */
function resultLabel(studio) {
  const { recipe } = studio.state.get();
  if (!recipe) return "";
  const named = (parts) => (parts.length > 1 ? words.mixed(parts.length) : titleOf(studio, parts[0].image));
  if (!recipe.textures.length) return named(recipe.structures);
  return words.result(named(recipe.structures), named(recipe.textures), shown(recipe.strength));
}

/** The result as a photo of its own, for further swaps. */
function resultTools(studio) {
  const { h, icon, asPhoto } = studio.ui;
  const use = (role, label) =>
    h("button", { class: `tool ${role}`, "aria-label": label, title: label, onclick: () => asPhoto(studio, (image) => pick(role, image)) }, icon(role));
  return [h("span", { class: "group" }, h("span", { class: "use-as", "aria-hidden": "true" }, text.useAs), use("structure", text.useAsStructure), use("texture", text.useAsTexture))];
}
