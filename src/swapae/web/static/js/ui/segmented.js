/** A choice of a few, side by side: native radio buttons in a row. */

import { freshId, h } from "./dom.js";

/**
 * @param {{label: string, options: {value: string, label: string}[], value: string, onChange: (value: string) => void}} what
 * @returns {{root: HTMLElement, value: string}} setting `value` calls nothing.
 */
export function segmented({ label, options, value, onChange }) {
  const name = freshId("choice");
  const inputs = options.map((option) =>
    h("input", { type: "radio", name, value: option.value, checked: option.value === value, onchange: () => onChange(option.value) }),
  );
  const parts = options.map((option, at) => h("label", {}, inputs[at], h("span", {}, option.label)));
  const root = h("fieldset", { class: "segmented" }, h("legend", {}, label), h("span", { class: "parts" }, parts));
  return {
    root,
    get value() {
      return inputs.find((input) => input.checked)?.value ?? null;
    },
    set value(next) {
      for (const input of inputs) input.checked = input.value === next;
    },
  };
}
