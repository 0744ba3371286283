// One direction: its small pictures, the slider beneath them, and where it works.

import { h } from "../ui/dom.js";
import { slider } from "../ui/slider.js";
import { icon } from "../ui/icons.js";
import { MOST_FEATHER } from "../paint/layers.js";
import { STRENGTHS } from "./strips.js";
import { number, text } from "./text.js";

export const MOST_STRENGTH = 3; // σ, to either side

/**
 * Make the row of a direction.
 * @param info DirectionInfo
 * @param on {move(name, fields, merge), reset(name), remove(info), file(info), seal(): a gesture ended}
 */
export function createRow(info, on) {
  const { name } = info;
  const image = h("img", { class: "strip-image", alt: "", hidden: true, draggable: false });
  const cells = STRENGTHS.map((strength) =>
    h(
      "button",
      { class: "strip-cell", tabIndex: -1, "aria-label": text.setTo(name, strength), onclick: () => on.move(name, { strength }) },
      h("span", {}, text.cell(strength)),
    ),
  );
  const failure = h("p", { class: "hint bad", hidden: true });
  const over = h("div", { class: "strip-cells" }, cells);
  const strip = h("div", { class: "strip-pictures waiting", role: "group", "aria-label": text.strip(name) }, image, over);
  const strength = slider({
    label: text.strength(name), min: -MOST_STRENGTH, max: MOST_STRENGTH, step: 0.1, value: 0, reset: 0, unit: text.sigma, kind: "around",
    marks: STRENGTHS.map((at) => ({ at, label: "" })),
    onInput: (value) => on.move(name, { strength: value }, `direction ${name}`),
    onChange: on.seal,
  });
  const where = createWhere(name, on);
  const reset = action("refresh", text.reset(name), () => on.reset(name));
  const save = info.own && action("save", text.file(name), () => on.file(info));
  const remove = info.own && action("trash", text.remove(name), () => on.remove(info));
  strength.root.querySelector(".number").append(...[reset, save, remove].filter(Boolean));
  strength.root.querySelector(".rail").before(strip, failure); // the slider's places are beneath their pictures
  const told = h("p", { class: "hint" }, facts(info));
  const root = h("li", { class: "direction", dataset: { name } }, strength.root, told, where.root);

  return {
    name,
    root,
    /** Show pictures, or why there are none. */
    pictures(url, error) {
      strip.classList.remove("waiting");
      strip.hidden = Boolean(error);
      image.hidden = !url;
      if (url) image.src = url;
      failure.hidden = !error;
      failure.textContent = error ?? "";
    },
    /** Say more about it. */
    note(sentence) {
      told.textContent = `${facts(info)}. ${sentence}`;
    },
    show(move, layers) {
      if (strength.value !== move.strength) strength.value = move.strength;
      cells.forEach((cell, at) => cell.classList.toggle("chosen", Math.abs(move.strength - STRENGTHS[at]) < 0.05));
      reset.disabled = move.strength === 0 && move.mask === null;
      root.classList.toggle("moved", move.strength !== 0);
      where.show(move, layers);
    },
  };
}

function action(name, label, run) {
  return h("button", { class: "bare", "aria-label": label, title: label, onclick: run }, icon(name, 18));
}

function facts(info) {
  const found = [];
  if (info.apart !== null) found.push(text.apart(number(info.apart)));
  if (info.share !== null) found.push(text.share(number(100 * info.share)));
  if (info.images) found.push(text.found(info.images));
  found.push(text.turn(number(info.sigma_degrees)));
  return found.join(" · ");
}

/** Where a direction works: everywhere, or within the mask of a layer. */
function createWhere(name, on) {
  const choose = () => on.move(name, { mask: choice.value || null }, null, text.labels.where(name));
  const choice = h("select", { "aria-label": `${text.where}: ${text.name(name)}`, onchange: choose });
  const feather = slider({
    label: text.feather, min: 0, max: MOST_FEATHER, step: 1, value: 0, reset: 0, unit: text.pixels,
    onInput: (value) => on.move(name, { feather: value }, `feather ${name}`),
    onChange: on.seal,
  });
  const label = h("span", { class: "entry" }, h("span", { "aria-hidden": "true" }, text.where), choice);
  const root = h("div", { class: "direction-where" }, label, feather.root);
  let written = "";

  function fill(move, layers) {
    const options = [["", text.everywhere], ...layers.map((layer, at) => [layer.mask, text.layer(at + 1, layer.title)])];
    if (move.mask !== null && !layers.some((layer) => layer.mask === move.mask)) options.push([move.mask, text.otherMask]);
    const now = JSON.stringify(options);
    if (now !== written) choice.replaceChildren(...options.map(([value, label]) => h("option", { value }, label)));
    written = now;
  }

  return {
    root,
    show(move, layers) {
      root.hidden = layers.length === 0 && move.mask === null;
      fill(move, layers);
      choice.value = move.mask ?? "";
      feather.root.hidden = move.mask === null;
      if (feather.value !== move.feather) feather.value = move.feather;
    },
  };
}
