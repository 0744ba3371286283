// The tools, and what can be set of the one in hand.

import { h, refill } from "../ui/dom.js";
import { slider } from "../ui/slider.js";
import { segmented } from "../ui/segmented.js";
import { icon } from "../ui/icons.js";
import { MOST_BRUSH, resizedBrush } from "./strokes.js";
import { text } from "./text.js";

const TOOLS = { brush: "b", eraser: "e", rectangle: "r", lasso: "l", region: "w" };
const SHAPES = ["rectangle", "lasso", "region"]; // tools that add or remove

/** What tools start with; the brush waits for the size of the picture. */
export function newTools() {
  return { tool: "brush", diameter: null, isErasing: false, threshold: 0.4, connected: true };
}

/**
 * Make the toolbar and the options below it.
 * @param tools as `newTools` gives; changed in place.
 * @param on {resize(): the brush has another size, likeness(): threshold or connected changed, box([left, top, width, height])}
 */
export function createToolbar(tools, on) {
  const buttons = Object.keys(TOOLS).map((name) =>
    h(
      "button",
      { class: "paint-tool", "aria-pressed": "false", title: `${text.tools[name]} (${TOOLS[name].toUpperCase()})`, dataset: { tool: name }, onclick: () => choose(name) },
      icon(name),
      h("span", {}, text.tools[name]),
    ),
  );
  const bar = h("div", { class: "paint-tools", role: "group", "aria-label": text.toolbar }, buttons);
  const place = h("div", { class: "paint-size" }); // of the size's slider
  let size = null;
  let side = 0;
  const modes = [["adds", text.adds], ["removes", text.removes]].map(([value, label]) => ({ value, label }));
  const mode = segmented({ label: text.mode, options: modes, value: "adds", onChange: (value) => (tools.isErasing = value === "removes") });
  const likeness = slider({
    label: text.likeness, min: -1, max: 1, step: 0.02, value: tools.threshold, reset: newTools().threshold, hint: text.likenessHint,
    onInput: (threshold) => likely({ threshold }),
  });
  const connected = h("input", { type: "checkbox", checked: tools.connected, onchange: () => likely({ connected: connected.checked }) });
  const numbers = createNumbers(on.box);
  const hint = h("p", { class: "hint" });
  const together = h("label", { class: "check" }, connected, text.connected);
  const options = h("div", { class: "paint-options" }, place, mode.root, likeness.root, together, numbers, hint);

  /** Let the brush go up to the longest side of a picture. */
  function fit(longest) {
    if (longest === side) return;
    side = longest;
    const usual = Math.max(1, Math.round(longest / 8));
    const max = Math.min(MOST_BRUSH, longest);
    tools.diameter = Math.min(max, tools.diameter ?? usual);
    const shape = { min: 1, max, step: 1, value: tools.diameter, reset: usual };
    size = slider({ label: text.size, ...shape, unit: text.pixels, hint: text.sizeHint, onInput: setSize });
    refill(place, size.root);
  }

  function likely(fields) {
    Object.assign(tools, fields);
    on.likeness();
  }

  function setSize(value) {
    tools.diameter = value;
    on.resize();
  }

  function choose(name) {
    tools.tool = name;
    if (!SHAPES.includes(name)) tools.isErasing = false;
    show();
  }

  function show() {
    const isShape = SHAPES.includes(tools.tool);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === tools.tool));
    mode.value = tools.isErasing ? "removes" : "adds";
    place.hidden = isShape;
    mode.root.hidden = !isShape;
    likeness.root.hidden = together.hidden = tools.tool !== "region";
    numbers.hidden = tools.tool !== "rectangle";
    hint.textContent = text.hints[tools.tool];
    hint.classList.toggle("paint-keys", !SHAPES.includes(tools.tool)); // it is of keys alone
    on.resize();
  }

  show();
  return {
    bar,
    options,
    fit,
    /** Make the brush larger or smaller. */
    step(steps) {
      if (!size) return;
      size.value = Math.min(side, resizedBrush(tools.diameter, steps));
      setSize(size.value);
    },
    /** Keys for the frame's list of shortcuts. */
    keys: Object.entries(TOOLS).map(([name, key]) => ({
      id: `paint-${name}`,
      keys: [key],
      label: text.tools[name],
      run: () => choose(name),
    })),
  };
}

/** A rectangle by numbers: what is dragged with the mouse, for those who do not. */
function createNumbers(fill) {
  const fields = Object.entries(text.sides).map(([name, label]) =>
    h("label", {}, h("span", {}, label), h("input", { type: "number", step: 1, min: name === "width" || name === "height" ? 1 : 0, name, inputMode: "numeric" })),
  );
  const wrong = h("p", { class: "hint bad", role: "alert" });
  const submit = (event) => {
    event.preventDefault();
    const values = [...form.querySelectorAll("input")].map((input) => input.valueAsNumber);
    const isRight = values.every(Number.isFinite) && values[2] > 0 && values[3] > 0;
    wrong.textContent = isRight ? "" : text.badNumbers;
    if (isRight) fill(values);
  };
  const form = h("form", { class: "paint-numbers", noValidate: true, onsubmit: submit }, fields, h("button", { class: "quiet" }, text.fillNumbers), wrong);
  return h("details", {}, h("summary", {}, text.numbers), form);
}
