/** Paint: textures of other photos on parts of the picture, each a layer of mask × texture × strength. */

import { createBoard } from "../paint/board.js";
import { icon } from "../ui/icons.js";
import { createLayers } from "../paint/layers.js";
import { kept, Painting } from "../paint/painting.js";
import { text } from "../paint/text.js";
import { createToolbar } from "../paint/toolbar.js";

export const id = "paint";
export const title = text.title;
export const key = "3";

let screen = null;

export function mount(root, studio) {
  screen = new PaintScreen(root, studio);
}

export function unmount() {
  screen?.close();
  screen = null;
}

/** Resolves when all that is painted is in the recipe. */
export function settled() {
  return screen?.painting.drafts.ending;
}

/** A photo dropped beside the picker becomes a texture to paint with. */
export function accept(images) {
  screen?.painting.add(images[0]);
}

class PaintScreen {
  constructor(root, studio) {
    this.studio = studio;
    this.painting = new Painting(studio, () => this.show());
    this.numLoads = 0;
    const { painting } = this;
    this.stage = studio.ui.stage(studio, { pan: "middle", label: () => this.#label() });
    this.board = this.#board();
    this.toolbar = createToolbar(painting.tools, {
      resize: () => this.board.resize(),
      likeness: () => painting.clickAgain(),
      box: (sides) => painting.box(sides),
    });
    this.layers = createLayers(studio, {
      select: (at) => painting.select(at),
      change: (...all) => painting.change(...all),
      move: (at, by) => painting.move(at, by),
      remove: (at) => (painting.remove(at), this.layers.focus(painting.selected)),
      texture: (at) => this.#otherTexture(at),
      seal: () => studio.history.seal(),
    });
    const onPick = (image) => painting.add(image);
    this.textures = studio.ui.picker(studio, { label: text.addLayer, kind: "texture", layout: "strip", follow: false, onPick });
    root.append(this.stage.root, this.#panel());
    this.stage.overlay.append(this.board.root);
    this.ends = [...this.#keys(), ...this.#watchers(), () => this.textures.destroy(), () => this.stage.destroy()];
    this.#showHidden();
    this.show();
  }

  close() {
    this.board.end();
    for (const end of this.ends) end();
  }

  // ---- its parts

  #label() {
    const { recipe } = this.painting;
    return recipe ? text.picture(this.painting.title(recipe.structures[0].image)) : "";
  }

  #board() {
    const { painting } = this;
    return createBoard(painting.tools, {
      begin: () => this.#begin(),
      draw: (raster) => painting.drafts.draw(raster),
      end: (raster, tool) => painting.commit(raster, text.labels.painted(tool)),
      cancel: () => painting.drafts.cancel(),
      pick: (point, isErasing) => painting.pick(point, isErasing),
      say: (sentence) => this.studio.announce(sentence),
    });
  }

  #begin() {
    if (!this.painting.begin()) {
      this.textures.root.scrollIntoView({ block: "nearest" });
      return false;
    }
    if (kept.isHidden) this.#hide();
    return true;
  }

  #panel() {
    const { h } = this.studio.ui;
    this.first = h("p", { class: "hint" }, text.firstLayer);
    return h("div", { class: "bench" },
      h("section", { "aria-label": text.toolbar }, this.toolbar.bar, this.toolbar.options),
      h("section", { "aria-label": text.layers }, h("h2", {}, text.layers), this.first, this.layers.root, this.#maskTools()),
      h("section", { "aria-label": text.addLayer }, h("h2", {}, text.addLayer), this.textures.root),
      this.#base());
  }

  #maskTools() {
    const { painting } = this;
    const { h } = this.studio.ui;
    const action = (name, label, run) => h("button", { class: "quiet", onclick: run }, icon(name, 18), h("span", {}, label));
const hide = { "aria-pressed": "false", "aria-label": text.hideMask, title: `${text.hideMask} (H)` };
    this.hideButton = h("button", { class: "quiet", ...hide, onclick: () => this.#hide() });
    return (this.maskTools = h("div", { class: "mask-tools", role: "group", "aria-label": text.maskActions },
      this.hideButton,
      action("clear", text.clear, () => painting.clear()),
      action("all", text.all, () => painting.all()),
      action("invert", text.invert, () => painting.invert()),
      action("open", text.loadMask, () => this.#loadMask()),
      action("save", text.saveMask, () => painting.save())));
  }

  /** What lies beneath the layers, and outside their masks. */
  #base() {
    const { painting } = this;
    const { h, slider, freshId } = this.studio.ui;
    this.base = slider({
      label: text.baseStrength, min: 0, max: 1.5, value: 1, reset: 1, marks: [{ at: 0, label: "0" }, { at: 1, label: "1" }],
      onInput: (strength) => painting.edit((recipe) => ({ ...recipe, strength }), text.labels.base, "base"),
      onChange: () => this.studio.history.seal(),
    });
    this.baseHint = h("p", { class: "hint" });
    const choose = () => painting.edit((recipe) => ({ ...recipe, outside: this.outside.value }), text.labels.outside);
    const options = Object.entries(text.outsides).map(([value, label]) => h("option", { value }, label));
    this.outside = h("select", { id: freshId("outside"), onchange: choose }, options);
    this.noPhoto = h("p", { class: "hint" }, text.noPhoto);
    return h("section", { "aria-label": text.base }, h("h2", {}, text.base), this.base.root, this.baseHint,
      h("div", { class: "entry" }, h("label", { htmlFor: this.outside.id }, text.outside), this.outside, this.noPhoto));
  }

  #keys() {
    const step = (steps) => this.toolbar.step(steps);
    return [
      ...this.toolbar.keys,
      { id: "paint-smaller", keys: ["["], label: text.smaller, run: () => step(-1) },
      { id: "paint-larger", keys: ["]"], label: text.larger, run: () => step(1) },
      { id: "paint-hide", keys: ["h"], label: text.hideMask, run: () => this.#hide() },
    ].map((shortcut) => this.studio.keys.add({ area: text.title, ...shortcut }));
  }

  #watchers() {
    const wheel = (event) => {
      if (!event.ctrlKey || !event.deltaY) return;
      event.preventDefault();
      this.toolbar.step(event.deltaY < 0 ? 1 : -1);
    };
    this.stage.window.addEventListener("wheel", wheel, { passive: false });
    const theme = new MutationObserver(() => this.board.recolor());
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return [
      this.studio.state.subscribe((now, before, how) => this.#follow(now, before, how)),
      this.stage.onFrame(() => !this.painting.photo && this.show()),
      () => theme.disconnect(),
    ];
  }

  // ---- what is seen follows the document

  #follow(now, before, { from }) {
    if (now.recipe === before.recipe && now.images === before.images) return;
    const { painting } = this;
    if (from === "history") {
      painting.click = null;
      painting.drafts.cancel({ isUndone: true });
      this.board.cancel();
    }
    this.show();
  }

  show() {
    const { painting } = this;
    const { recipe } = painting;
    if (!recipe) return;
    painting.clamp();
    if (painting.size) this.toolbar.fit(Math.max(painting.size.width, painting.size.height));
    this.layers.show(recipe.layers, painting.selected, (image) => painting.title(image), (mask) => painting.shareOf(mask));
    this.first.hidden = recipe.layers.length > 0;
    this.maskTools.hidden = recipe.layers.length === 0;
    this.#showBase(recipe);
    this.#showMask();
  }

  #showBase(recipe) {
    const { painting } = this;
    const names = recipe.textures.map((part) => painting.title(part.image)).join(", ");
    if (this.base.value !== recipe.strength) this.base.value = recipe.strength;
    this.base.root.hidden = names === "";
    this.baseHint.textContent = text.baseHint(painting.title(recipe.structures[0].image), names);
    const hasPhoto = painting.photo?.has_photo !== false;
    this.outside.value = recipe.outside;
    this.outside.querySelector("[value=photo]").disabled = !hasPhoto && recipe.outside !== "photo";
    this.noPhoto.hidden = hasPhoto;
  }

  /** Show the mask of the layer in hand; one that is being painted is on the board already. */
  async #showMask() {
    const { painting } = this;
    this.numLoads += 1;
    const own = this.numLoads;
    if (painting.drafts.isPending) return null;
    if (!painting.size) return this.board.show(null, 0);
    const isMissing = painting.layer && !painting.store.get(painting.layer.mask);
    if (isMissing && !this.board.isDrawing) this.board.show(null, 0); // what is painted now would begin on another layer's mask
    const raster = await painting.raster().catch((error) => this.studio.toast(error.message, { kind: "error" }));
    if (own !== this.numLoads || painting.drafts.isPending || !raster?.data) return null;
    this.board.show(raster, painting.layer?.feather ?? 0);
    return isMissing ? this.show() : null; // now the share it covers is known
  }

  #hide() {
    kept.isHidden = !kept.isHidden;
    this.#showHidden();
  }

  #showHidden() {
    const { h } = this.studio.ui;
    this.stage.root.classList.toggle("mask-hidden", kept.isHidden);
    this.hideButton.setAttribute("aria-pressed", String(kept.isHidden));
    this.hideButton.replaceChildren(icon(kept.isHidden ? "hide" : "compare", 18), h("span", { "aria-hidden": "true" }, text.hideShort));
  }

  // ---- dialogs

  async #otherTexture(at) {
    const { painting, studio } = this;
    const label = text.changeTexture(at + 1);
    const choice = studio.ui.picker(studio, { label, kind: "texture", selected: painting.recipe.layers[at].texture, follow: false, onPick: take });
    function take(image) {
      choice.selected = image.id;
      painting.change(at, { texture: image.id }, text.labels.texture);
    }
    await studio.ui.dialog({ title: label, body: choice.root });
    choice.destroy();
  }

  async #loadMask() {
    const [file] = await this.studio.ui.pickFiles({ multiple: false });
    if (file) await this.painting.load(file);
  }
}
