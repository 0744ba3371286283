// What the batch will do to each photo: the look of the present recipe, shown and explained.

import { h, refill } from "../ui/dom.js";
import { hasLook, leftOut } from "./work.js";

const number = (value) => Number(value.toFixed(2)).toLocaleString("en");

/** The panel that shows a recipe's look; `go(screen)` leads to where it can be changed. */
export class Look {
  constructor(studio, go) {
    Object.assign(this, { studio, go });
    this.element = h("section", { class: "batch-look", "aria-label": "The look" });
  }

  update(recipe) {
    refill(this.element, h("h3", {}, "The look"), hasLook(recipe) ? this.described(recipe) : this.missing(), this.ways());
  }

  described(recipe) {
    const { textures, strength, directions } = recipe;
    const lines = [];
    if (textures.length && strength !== 0) lines.push(h("div", { class: "batch-textures" }, textures.map((part) => this.texture(part))));
    if (textures.length && strength !== 0) lines.push(h("p", {}, `Texture at strength ${number(strength)}${textures.length > 1 ? `, a mix of ${textures.length}` : ""}`));
    const moves = directions.filter(({ mask, strength: far }) => !mask && far !== 0);
    if (moves.length) lines.push(h("p", {}, `Moved along ${moves.map(({ name, strength: far }) => `${name} by ${number(far)} σ`).join(", ")}`));
    const left = leftOut(recipe);
    if (left) lines.push(h("p", { class: "hint" }, left));
    return lines;
  }

  texture({ image }) {
    const { gallery = [], images = [] } = this.studio.state.get();
    const title = [...gallery, ...images].find(({ id }) => id === image)?.title || "A photo";
    return h("img", { src: this.studio.api.thumbnailUrl(image), alt: `Texture: ${title}`, title });
  }

  missing() {
    return h("p", { class: "hint" }, "There is no look yet: choose a texture in Swap, or move a slider in Directions. Every photo here then gets it.");
  }

  ways() {
    const way = (screen, words) => h("button", { class: "quiet", onclick: () => this.go(screen) }, words);
    return h("p", { class: "batch-ways" }, way("swap", "Choose the texture"), way("directions", "Move along directions"));
  }
}
