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

  function step(entry, at) {
    const isHere = at === history.at;
    const name = `${at + 1}: ${entry.label}`;
    const picture = entry.url ? h("img", { src: entry.url, alt: "" }) : h("span", { class: "blank" });
    const button = h(
      "button",
      { title: entry.label, "aria-label": name, "aria-current": isHere ? "step" : null, onclick: () => history.jump(at) },
      picture,
    );
    return h("li", { class: at > history.at ? "ahead" : isHere ? "here" : "" }, button);
  }

  function fill() {
    undo.disabled = !history.canUndo;
    redo.disabled = !history.canRedo;
    const focused = items().indexOf(document.activeElement);
    refill(list, history.entries.length > 1 ? history.entries.map(step) : h("li", { class: "hint" }, text.historyEmpty));
    const all = items();
    focusOne(all, all[focused] ?? all[history.at], { focus: focused >= 0 });
    const here = list.querySelector(".here");
    if (here) list.scrollLeft = here.offsetLeft - list.clientWidth + here.offsetWidth + 8;
  }

  roving(list, items);
  history.subscribe(fill);
  fill();
}
