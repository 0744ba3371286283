// What the batch will do to each photo: the look of the present recipe, shown and explained.

import { h, refill } from "../ui/dom.js";
import { thumbnailOf, titleOf } from "../photos.js";
import { hasLook, leftOut } from "./work.js";

const number = (value) => Number(value.toFixed(2)).toLocaleString("en");

/** The panel that shows a recipe's look; `go(screen)` leads to where it can be changed. */
export class Look {
  constructor(studio, go) {
    Object.assign(this, { studio, go });
    this.element = h("section", { class: "batch-look", "aria-label": "The look" });
  }

  update(recipe) {
    const told = hasLook(recipe) ? this.described(recipe) : [this.missing()];
    refill(this.element, h("h3", {}, "The look"), told, this.ways());
  }

  described(recipe) {
    const { textures, strength, directions } = recipe;
    const lines = [];
    if (textures.length && strength !== 0) {
      const names = textures.map(({ image }) => titleOf(this.studio, image)).join(", ");
      const said = `${textures.length > 1 ? "A mix of the textures" : "The texture"} of ${names}, strength ${number(strength)}`;
      lines.push(h("div", { class: "batch-textures" }, textures.map((part) => this.texture(part)), h("p", {}, said)));
    }
    const moves = directions.filter(({ mask, strength: far }) => !mask && far !== 0);
    if (moves.length) lines.push(h("p", {}, `Moved along ${moves.map(({ name, strength: far }) => `${name} by ${number(far)} σ`).join(", ")}`));
    const left = leftOut(recipe);
    if (left) lines.push(h("p", { class: "hint" }, left));
    return lines;
  }

  texture({ image }) {
    return h("img", { src: thumbnailOf(this.studio, image), alt: "" });
  }

  missing() {
    return h("p", { class: "hint" }, "There is no look yet: choose a texture in Swap, or move a slider in Directions. Every photo here then gets it.");
  }

  ways() {
    const way = (screen, words, told) => h("button", { class: "quiet small", "aria-label": told, onclick: () => this.go(screen) }, words);
    return h("p", { class: "batch-ways" }, way("swap", "Change texture", "Change texture, in Swap"), way("directions", "Move directions", "Move directions, in Directions"));
  }
}
