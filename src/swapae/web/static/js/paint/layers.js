// The pile of layers: the top one first, the one painted on with its sliders.

import { h } from "../ui/dom.js";
import { slider } from "../ui/slider.js";
import { icon } from "../ui/icons.js";
import { text } from "./text.js";

export const STRENGTHS = { min: -1, max: 2 };
export const MOST_FEATHER = 64; // pixels

/**
 * Make the list.
 * @param studio {api, state}
 * @param on {select(at), change(at, fields, label, merge), move(at, by), remove(at), texture(at), seal(): a gesture ended}
 */
export function createLayers(studio, on) {
  const list = h("ol", { class: "layers", "aria-label": text.layers });
  const rows = [];

  return {
    root: list,
    /** Show a recipe's layers; `titleOf` names an image, `shareOf` tells what part of the picture a mask covers, or null. */
    show(layers, selected, titleOf, shareOf) {
      while (rows.length > layers.length) rows.pop().root.remove();
      while (rows.length < layers.length) {
        rows.push(createRow(rows.length, studio, on));
        list.prepend(rows.at(-1).root);
      }
      layers.forEach((layer, at) => {
        const isTop = at === layers.length - 1;
        rows[at].show(layer, { isSelected: at === selected, isTop, title: titleOf(layer.texture), share: shareOf(layer.mask) });
      });
    },
    focus: (at) => rows[at]?.focus(),
  };
}

function createRow(at, { api }, on) {
  const number = at + 1;
  const image = h("img", { alt: "", width: 44, height: 44 });
  const other = text.changeTexture(number);
  const texture = h("button", { class: "layer-texture", "aria-label": other, title: other, onclick: () => on.texture(at) }, image);
  const [name, covered] = [h("span", { class: "layer-name" }), h("span", { class: "layer-share" })];
  const choose = h("button", { class: "layer-choose bare", onclick: () => on.select(at) }, name, covered);
  const eye = action("compare", "", () => on.change(at, { visible: !layer.visible }, text.labels.visible(!layer.visible)));
  const up = action("up", text.up(number), () => on.move(at, 1));
  const down = action("down", text.down(number), () => on.move(at, -1));
  const trash = action("trash", text.remove(number), () => on.remove(at));
  const strength = slider({
    label: text.strength, ...STRENGTHS, value: 1, reset: 1, hint: text.strengthHint, marks: [{ at: 0, label: "0" }, { at: 1, label: "1" }],
    onInput: (value) => on.change(at, { strength: value }, text.labels.strength, `strength ${at}`),
    onChange: on.seal,
  });
  const feather = slider({
    label: text.feather, min: 0, max: MOST_FEATHER, step: 1, value: 0, reset: 0, unit: text.pixels,
    onInput: (value) => on.change(at, { feather: value }, text.labels.feather, `feather ${at}`),
    onChange: on.seal,
  });
  const details = h("div", { class: "layer-details" }, strength.root, feather.root);
  const actions = h("span", { class: "layer-actions" }, eye, up, down, trash);
  const root = h("li", { class: "layer" }, h("div", { class: "layer-head" }, texture, choose, actions), details);
  let layer = { visible: true };

  return {
    root,
    focus: () => choose.focus(),
    show(now, { isSelected, isTop, title, share }) {
      if (layer.texture !== now.texture) image.src = api.thumbnailUrl(now.texture);
      layer = now;
      name.textContent = text.layerShort(number, title);
      covered.textContent = share === null ? "" : share === 0 ? text.nothing : text.covered(shownPercent(share));
      root.classList.toggle("selected", isSelected);
      root.classList.toggle("unseen-layer", !now.visible);
      choose.setAttribute("aria-pressed", String(isSelected));
      choose.setAttribute("aria-label", [text.layer(number, title), covered.textContent].filter(Boolean).join(", "));
      details.hidden = !isSelected;
      eye.replaceChildren(icon(now.visible ? "compare" : "hide"));
      eye.setAttribute("aria-label", now.visible ? text.hide(number) : text.show(number));
      eye.title = eye.getAttribute("aria-label");
      [up.disabled, down.disabled] = [isTop, at === 0];
      if (strength.value !== now.strength) strength.value = now.strength;
      if (feather.value !== now.feather) feather.value = now.feather;
    },
  };
}

function action(name, label, run) {
  return h("button", { class: "bare", "aria-label": label, title: label, onclick: run }, icon(name));
}

const shownPercent = (share) => (share < 0.01 ? "<1" : String(Math.round(share * 100)));
