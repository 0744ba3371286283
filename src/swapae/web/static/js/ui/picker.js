/**
 * The picker: photos of the gallery and one's own as a grid or strip, one of them chosen; with a button for files, and
 * open to drops. Arrow keys move among the photos and choose, Delete removes one's own.
 */

import { focusOne, freshId, h, refill, roving } from "./dom.js";
import { icon } from "./icons.js";
import { dropTarget, pickFiles } from "./intake.js";
import { emptyState } from "./states.js";
import { imagesOf } from "../recipe.js";
import { text } from "../text.js";

/**
 * @param {object} studio
 * @param {{label: string, kind?: "structure"|"texture"|"plain", selected?: string|string[]|null,
 *   onPick: (image: object, how?: {isBrowsing: boolean}) => void, multiple?: boolean, layout?: "grid"|"strip", canAdd?: boolean,
 *   follow?: boolean}} options
 *   selected: id, or ids with `multiple`, where a click toggles (the caller decides and sets `selected`);
 *   follow: arrow keys choose at once (default for a single choice); isBrowsing: it is one of those.
 * @returns {{root: HTMLElement, selected: string|string[]|null, destroy: () => void}}
 */
export function picker(studio, options) {
  const { label, kind = "plain", onPick, multiple = false, layout = "grid", canAdd = true } = options;
  const follow = options.follow ?? !multiple;
  let selected = options.selected ?? null;
  const id = freshId("picker");
  const grid = h("div", { class: "those", role: multiple ? "group" : "radiogroup", "aria-labelledby": id });
  const add = h(
    "button",
    { class: "photo add", title: text.addPhotos, "aria-label": `${text.addPhotos}: ${label}`, onclick: choose },
    icon("plus", 22),
  );
  const heading = h("h3", { class: "unseen", id }, label);
  const all = h("div", { class: `photos ${layout}` }, canAdd && h("span", { class: "cell" }, add), grid);
  const root = h("div", { class: `picker ${kind}` }, heading, all);
  const tiles = new Map();

  const isSelected = (image) => (multiple ? (selected ?? []).includes(image.id) : selected === image.id);
  const items = () => [...grid.querySelectorAll(".photo.own")];

  function tile(image) {
    const button = h(
      "button",
      { class: "photo own", role: multiple ? null : "radio", title: image.title, "aria-label": image.title, "aria-keyshortcuts": image.source === "upload" ? "Delete" : null, dataset: { id: image.id } },
      h("img", { src: image.url, alt: "", loading: "lazy", draggable: false }),
    );
    button.draggable = true;
    button.addEventListener("click", () => onPick(image));
    button.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData("application/x-swapae-image", image.id);
      event.dataTransfer.effectAllowed = "copy";
    });
    button.addEventListener("keydown", (event) => {
      if ((event.key === "Delete" || event.key === "Backspace") && image.source === "upload") remove(studio, image);
    });
    if (image.source !== "upload") return h("span", { class: "cell" }, button);
    const gone = h("button", { class: "forget", tabIndex: -1, "aria-hidden": "true", title: text.removePhoto(image.title), onclick: () => remove(studio, image) }, icon("close", 14));
    return h("span", { class: "cell" }, button, gone);
  }

  function fill() {
    const { images, pending } = studio.state.get();
    for (const known of [...tiles.keys()]) if (!images.some((image) => image.id === known)) tiles.delete(known);
    for (const image of images) if (!tiles.has(image.id)) tiles.set(image.id, tile(image));
    const waiting = Array.from({ length: pending }, () => h("span", { class: "photo waiting", "aria-hidden": "true" }));
    const focused = document.activeElement?.closest?.(".photo.own")?.dataset.id;
    const hadFocus = grid.contains(document.activeElement);
    refill(grid, waiting, images.map((image) => tiles.get(image.id)));
    if (!images.length && !pending) grid.append(emptyState({ title: text.emptyGallery }));
    mark();
    if (hadFocus && focused) grid.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  function mark() {
    for (const button of items()) {
      const is = isSelected({ id: button.dataset.id });
      button.setAttribute(multiple ? "aria-pressed" : "aria-checked", String(is));
      button.classList.toggle("chosen", is);
    }
    const stop = items().find((button) => button === document.activeElement) ?? items().find((b) => b.classList.contains("chosen"));
    focusOne(items(), stop ?? items()[0], { focus: false });
  }

  /** In a strip: bring what is chosen into sight. */
  function reveal() {
    const chosen = grid.querySelector(".photo.chosen")?.parentElement;
    if (!chosen || all.scrollWidth <= all.clientWidth) return;
    const [left, right] = [chosen.offsetLeft - all.offsetLeft, chosen.offsetLeft - all.offsetLeft + chosen.offsetWidth];
    if (left < all.scrollLeft || right > all.scrollLeft + all.clientWidth) all.scrollLeft = left - all.clientWidth / 3;
  }

  async function choose() {
    await take(await pickFiles());
  }

  async function take(files) {
    if (!files.length) return;
    const [first, ...others] = await studio.photos.take(files);
    if (first) onPick(first);
    if (multiple) for (const other of others) onPick(other);
  }

  const imageOf = (button) => studio.state.get().images.find((image) => image.id === button.dataset.id);

  function columns() {
    if (layout === "strip") return 1;
    const tops = items().map((item) => item.offsetTop);
    return Math.max(1, tops.filter((top) => top === tops[0]).length);
  }

  roving(grid, items, { columns, onMove: (button) => follow && onPick(imageOf(button), { isBrowsing: true }) });
  const undrop = dropTarget(studio, root, { onFiles: take, onImage: onPick });
  const end = studio.state.subscribe((now, before) => {
    if (now.images !== before.images || now.pending !== before.pending) fill();
  });
  fill();

  return {
    root,
    get selected() {
      return selected;
    },
    set selected(next) {
      const isOther = next !== selected;
      selected = next;
      mark();
      if (isOther) requestAnimationFrame(reveal);
    },
    destroy() {
      end();
      undrop();
    },
  };
}

async function remove(studio, image) {
  const { recipe } = studio.state.get();
  if (recipe && imagesOf(recipe).has(image.id)) return studio.toast(text.inUse);
  try {
    await studio.photos.forget(image.id);
  } catch (error) {
    studio.toast(error.message, { kind: "error" });
  }
  return null;
}
