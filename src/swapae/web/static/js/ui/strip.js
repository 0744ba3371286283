/** The history strip: each step as a small picture; a click goes there. */

import { focusOne, h, refill, roving } from "./dom.js";
import { icon } from "./icons.js";
import { text } from "../text.js";

export function historyStrip(studio, root) {
  const { history } = studio;
  const list = h("ol", { class: "steps" });
  const undo = h("button", { class: "tool", title: `${text.undo} (Ctrl+Z)`, "aria-label": text.undo, onclick: () => studio.undo() }, icon("undo"));
  const redo = h("button", { class: "tool", title: `${text.redo} (Ctrl+Shift+Z)`, "aria-label": text.redo, onclick: () => studio.redo() }, icon("redo"));
  root.setAttribute("aria-label", text.history);
  refill(root, h("div", { class: "group" }, undo, redo), list);
  const items = () => [...list.querySelectorAll("button")];
  const kept = new WeakMap(); // entry → its button, which stays when its picture comes, so that a press on it ends on it

  function step(entry, at) {
    if (!kept.has(entry)) kept.set(entry, h("button", { title: entry.label, onclick: () => history.jump(history.entries.indexOf(entry)) }));
    const button = kept.get(entry);
    refill(button, entry.url ? h("img", { src: entry.url, alt: "" }) : h("span", { class: "blank" }));
    button.setAttribute("aria-label", `${at + 1}: ${entry.label}`);
    if (at === history.at) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
    return button;
  }

  /** The items of the list, of which those that are there already are moved by nothing. */
  function arrange() {
    const wanted = history.entries.map(step).map((button) => button.parentElement ?? h("li", {}, button));
    for (const item of [...list.children]) if (!wanted.includes(item)) item.remove();
    wanted.forEach((item, at) => {
      item.className = at > history.at ? "ahead" : at === history.at ? "here" : "";
      if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
    });
  }

  function fill() {
    undo.disabled = !history.canUndo;
    redo.disabled = !history.canRedo;
    const focused = items().indexOf(document.activeElement);
    if (history.entries.length > 1) arrange();
    else refill(list, h("li", { class: "hint" }, text.historyEmpty));
    const all = items();
    focusOne(all, all[focused] ?? all[history.at], { focus: focused >= 0 });
    const here = list.querySelector(".here");
    if (here) list.scrollLeft = here.offsetLeft - list.clientWidth + here.offsetWidth + 8;
  }

  roving(list, items);
  history.subscribe(fill);
  fill();
}
