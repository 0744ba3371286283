/**
 * A slider with its label and a number that can be typed. Double click gives it its first value again, arrow keys move
 * it by a step and with Shift by a tenth of one.
 */

import { freshId, h, place } from "./dom.js";
import { shown } from "../recipe.js";

/**
 * @param {{label: string, min: number, max: number, step?: number, value: number, reset?: number, hint?: string,
 *   unit?: string, marks?: {at: number, label: string}[], kind?: string,
 *   onInput?: (value: number) => void, onChange?: (value: number) => void}} options
 *   onInput: at every move; onChange: when a gesture ends.
 * @returns {{root: HTMLElement, value: number, input: HTMLInputElement, disabled: boolean}} setting `value` calls nothing.
 */
export function slider(options) {
  const { label, min, max, step = 0.05, reset = options.value, hint = "", unit = "", marks = [], kind = "" } = options;
  const fine = step / 10;
  const digits = Math.max(0, Math.ceil(-Math.log10(fine) - 1e-9));
  const [id, hintId] = [freshId("slider"), freshId("hint")];
  const describe = hint ? hintId : null;
  const range = h("input", { type: "range", id, min, max, step: fine, "aria-describedby": describe });
  const number = h("input", { type: "number", class: "value", min, max, step, "aria-label": `${label}: number` });
  const lines = marks.map((mark) => h("span", { class: "mark", style: { "--at": share(mark.at) } }, mark.label));
  const root = h(
    "div",
    { class: `slider ${kind}` },
    h("label", { htmlFor: id }, label),
    h("span", { class: "rail" }, range, marks.length > 0 && h("span", { class: "marks", "aria-hidden": "true" }, lines)),
    h("span", { class: "number" }, number, unit && h("span", { class: "unit" }, unit)),
    hint && h("p", { class: "hint", id: hintId }, hint),
  );
  let value = options.value;

  function share(at) {
    return String((at - min) / (max - min));
  }

  function show() {
    range.value = String(value);
    range.setAttribute("aria-valuetext", shown(value, digits) + unit);
    if (document.activeElement !== number) number.value = shown(value, digits);
    place(range, { "--share": share(Math.min(max, Math.max(min, value))) });
  }

  function become(next, { ends = false } = {}) {
    const bounded = Number(Math.min(max, Math.max(min, next)).toFixed(digits));
    const isOther = bounded !== value;
    value = bounded;
    show();
    if (isOther) options.onInput?.(value);
    if (ends) options.onChange?.(value);
  }

  const snapped = (raw) => Math.round(raw / step) * step;
  range.addEventListener("input", () => {
    const raw = Number(range.value);
    const near = marks.find((mark) => Math.abs(mark.at - raw) < 0.012 * (max - min));
    become(near ? near.at : raw);
  });
  range.addEventListener("change", () => options.onChange?.(value));
  range.addEventListener("dblclick", () => become(reset, { ends: true }));
  range.addEventListener("keydown", (event) => {
    const signs = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 };
    if (!(event.key in signs) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const size = event.shiftKey ? fine : step;
    become(event.shiftKey ? value + signs[event.key] * size : snapped(value + signs[event.key] * size), { ends: true });
  });
  number.addEventListener("input", () => Number.isFinite(number.valueAsNumber) && become(number.valueAsNumber));
  number.addEventListener("change", () => {
    if (!Number.isFinite(number.valueAsNumber)) number.value = shown(value, digits);
    options.onChange?.(value);
  });
  number.addEventListener("blur", show);
  show();

  return {
    root,
    input: range,
    get value() {
      return value;
    },
    set value(next) {
      value = Number(next);
      show();
    },
    get disabled() {
      return range.disabled;
    },
    set disabled(is) {
      range.disabled = is;
      number.disabled = is;
    },
  };
}
