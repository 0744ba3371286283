// Make a direction of one's own: two groups of photos, a name.

import { h } from "../ui/dom.js";
import { text } from "./text.js";

const words = text.make;
const GROUPS = ["toward", "away"];

/**
 * Make the form.
 * @param studio
 * @param names gives the names that are taken.
 * @param make({name, toward, away, of}) makes it; a promise.
 */
export function createMaking(studio, names, make) {
  const { picker, segmented, freshId } = studio.ui;
  const groups = { toward: [], away: [] };
  let last = "toward"; // the group used last: what is dropped on the page goes there
  const counts = Object.fromEntries(GROUPS.map((group) => [group, h("span", { class: "hint" })]));
  const shape = { kind: "plain", multiple: true, layout: "strip", selected: [] };
  const pickerOf = (group) => picker(studio, { ...shape, label: words.groups[group], onPick: (image) => toggle(group, image) });
  const pickers = Object.fromEntries(GROUPS.map((group) => [group, pickerOf(group)]));
  const name = h("input", { type: "text", id: freshId("name"), maxLength: 64, placeholder: words.namePlaceholder, autocomplete: "off" });
  const kinds = Object.entries(words.kinds).map(([value, label]) => ({ value, label }));
  const of = segmented({ label: words.of, value: "texture", options: kinds, onChange: () => {} });
  const wrong = h("p", { class: "hint bad", role: "alert" });
  const run = h("button", { class: "main" }, words.run);
  const form = h("form", { class: "making", noValidate: true, onsubmit: submit },
    h("p", { class: "hint" }, words.intro),
    GROUPS.map((group) => {
      const head = h("p", { class: "making-head" }, h("strong", {}, words.groups[group]), counts[group]);
      return h("section", { class: `making-group ${group}` }, head, pickers[group].root);
    }),
    h("div", { class: "entry" }, h("label", { htmlFor: name.id }, words.name), name), of.root, wrong, run);
  const root = h("details", { class: "making-box" }, h("summary", {}, words.title), form);

  /** Put a photo into a group, or take it out; it is in one of them at most. */
  function toggle(group, image) {
    const isIn = groups[group].includes(image.id);
    for (const other of GROUPS) groups[other] = groups[other].filter((id) => id !== image.id);
    if (!isIn) groups[group] = [...groups[group], image.id];
    last = group;
    show();
  }

  function show() {
    for (const group of GROUPS) {
      pickers[group].selected = groups[group];
      counts[group].textContent = words.count(groups[group].length);
    }
  }

  function problem() {
    const empty = GROUPS.find((group) => groups[group].length === 0);
    if (empty) return words.missing[empty];
    if (!name.value.trim()) return words.missing.name;
    return names().includes(name.value.trim()) ? words.missing.taken : "";
  }

  async function submit(event) {
    event.preventDefault();
    wrong.textContent = problem();
    if (wrong.textContent) return;
    run.disabled = true;
    run.textContent = words.running;
    try {
      await make({ name: name.value.trim(), toward: groups.toward, away: groups.away, of: of.value });
      name.value = "";
    } catch (error) {
      wrong.textContent = error.message;
    }
    run.disabled = false;
    run.textContent = words.run;
  }

  show();
  return {
    root,
    get isOpen() {
      return root.open;
    },
    /** Photos dropped on the page. */
    accept(images) {
      for (const image of images) if (!groups[last].includes(image.id)) toggle(last, image);
    },
    /** Leave out photos that are there no more. */
    forget(images) {
      for (const group of GROUPS) groups[group] = groups[group].filter((id) => images.some((image) => image.id === id));
      show();
    },
    destroy: () => GROUPS.forEach((group) => pickers[group].destroy()),
  };
}
