/** All shortcuts in one dialog, each of which can be given another key. */

import { dialog } from "./dialog.js";
import { h, refill } from "./dom.js";
import { spellings, written } from "../keys.js";
import { text } from "../text.js";

const HINTS = [
  ["Tab", "go to the next control"],
  ["← → ↑ ↓", "move among photos and steps, move a slider by a step; with Shift by a tenth of one"],
  ["Double click", "give a slider its first value again"],
  ["Wheel", "zoom the picture, as two fingers do; drag to move it"],
  ["Ctrl + V", "add a photo from the clipboard"],
];

export function help(studio) {
  const { keys } = studio;
  const body = h("div", { class: "keys" });

  function row(shortcut) {
    const caps = keys.keysOf(shortcut).map((key) => h("kbd", {}, written(key)));
    const change = h("button", { class: "quiet small", onclick: () => listen(shortcut, change) }, "Change");
    change.setAttribute("aria-label", `Change the key: ${shortcut.label}`);
    return h("tr", {}, h("th", { scope: "row" }, shortcut.label), h("td", {}, caps), h("td", {}, change));
  }

  function listen(shortcut, button) {
    button.textContent = "Press a key…";
    const heard = (event) => {
      if (["Shift", "Control", "Alt", "Meta", "AltGraph"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      body.removeEventListener("keydown", heard, true);
      if (event.key !== "Escape" && event.key !== "Tab") keys.assign(shortcut.id, spellings(event).at(0));
      fill(shortcut.id);
    };
    body.addEventListener("keydown", heard, true);
  }

  function fill(focus = null) {
    const areas = new Map();
    for (const shortcut of keys.all()) areas.set(shortcut.area, [...(areas.get(shortcut.area) ?? []), shortcut]);
    const tables = [...areas].map(([area, all]) => h("section", {}, h("h3", {}, area || "Everywhere"), h("table", {}, h("tbody", {}, all.map(row)))));
    const hints = HINTS.map(([key, what]) => h("tr", {}, h("th", { scope: "row" }, what), h("td", {}, h("kbd", {}, key)), h("td", {})));
    const reset = h("button", { class: "quiet small", onclick: () => (keys.reset(), fill()) }, "Give all keys back");
    refill(body, tables, h("section", {}, h("h3", {}, "Always"), h("table", {}, h("tbody", {}, hints))), reset);
    if (focus) [...body.querySelectorAll("button")].find((b) => b.getAttribute("aria-label")?.endsWith(keys.all().find((s) => s.id === focus).label))?.focus();
  }

  fill();
  return dialog({ title: text.help, body, wide: true });
}
