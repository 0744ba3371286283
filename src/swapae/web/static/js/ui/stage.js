/**
 * The stage: the picture of the recipe, as large as there is room; zoomed by the wheel and moved by the mouse; the
 * original is seen while Space or the eye is held, or beside it at a movable edge.
 */

import { h, place, refill } from "./dom.js";
import { icon } from "./icons.js";
import { explained } from "./states.js";
import { view } from "./zoom.js";
import { text } from "../text.js";
import { pictureOf } from "../photos.js";

/**
 * @param {object} studio
 * @param {{before?: () => string|null, label?: () => string, tools?: Node[], drag?: boolean, pan?: "left"|"middle"}} options
 *   before: URL of what the original is, by default the picture of the first structure; label: what the picture shows;
 *   drag: whether the result can be dragged to a slot; pan: the button that moves a zoomed picture.
 * @returns {{root, overlay, canvas, toPicture, onFrame, destroy}} overlay: an element exactly over the picture, whatever
 *   the zoom, for canvases and handles; toPicture(event) → {x, y} in 0…1 of the picture.
 */
export function stage(studio, options = {}) {
  const { live, state, keys, history } = studio;
  const canvas = h("canvas", { class: "frame", role: "img", width: 1, height: 1 });
  const original = h("img", { class: "original", alt: "", draggable: false });
  const overlay = h("div", { class: "overlay" });
  const edge = h("input", { type: "range", class: "edge", min: 0, max: 1, step: 0.01, value: 0.5, "aria-label": text.splitAt });
  const picture = h("div", { class: "picture" }, canvas, original, overlay);
  const cover = h("div", { class: "cover", hidden: true });
  const window_ = h("div", { class: "window", tabIndex: 0, role: "group", "aria-label": "Picture" }, picture, edge, cover);
  const meta = h("p", { class: "meta" });
  const zoom = view(window_, picture, { pan: options.pan ?? "left", canPan: () => !options.drag || zoom.scale > 1 });
  const compareButton = button("compare", text.compare, {});
  const splitButton = button("split", text.split, { "aria-pressed": "false", onclick: () => split(!isSplit()) });
  const bar = h(
    "div",
    { class: "stage-bar", role: "toolbar", "aria-label": "Picture" },
    meta,
    compareButton,
    splitButton,
    h(
      "span",
      { class: "group" },
      button("minus", text.zoomOut, { onclick: () => zoom.by(1 / 1.5) }),
      button("fit", text.fit, { onclick: () => zoom.fit() }),
      button("plus", text.zoomIn, { onclick: () => zoom.by(1.5) }),
    ),
    options.tools ?? [],
  );
  const root = h("section", { class: "stage", "aria-label": "Result" }, window_, bar);
  const frameListeners = new Set();
  const ends = [];

  function button(name, label, props) {
    return h("button", { class: "tool", "aria-label": label, title: label, ...props }, icon(name));
  }

  // ── the original ──────────────────────────────────────────────────────────
  function before() {
    return options.before ? options.before() : pictureOf(studio, state.get().recipe?.structures[0]?.image);
  }

  const isSplit = () => root.classList.contains("split");

  function compare(is) {
    root.classList.toggle("comparing", is);
    compareButton.classList.toggle("on", is);
    if (is || isSplit()) original.src = before() ?? "";
    original.hidden = !(is || isSplit()) || !before();
  }

  function split(is) {
    root.classList.toggle("split", is);
    splitButton.setAttribute("aria-pressed", String(is));
    compare(false);
    edgeAt();
  }

  function edgeAt() {
    place(root, { "--edge": edge.value });
    zoom.apply();
  }

  edge.addEventListener("input", edgeAt);
  for (const [on, off] of [["pointerdown", "pointerup"], ["keydown", "keyup"]]) {
    const isPress = (event) => !event.key || event.key === " " || event.key === "Enter";
    compareButton.addEventListener(on, (event) => isPress(event) && compare(true));
    compareButton.addEventListener(off, (event) => isPress(event) && compare(false));
  }
  for (const name of ["pointerleave", "pointercancel", "blur"]) compareButton.addEventListener(name, () => compare(false));

  // ── the picture ───────────────────────────────────────────────────────────
  function draw(frame) {
    if (!frame) return;
    canvas.width = frame.bitmap.width;
    canvas.height = frame.bitmap.height;
    canvas.getContext("2d").drawImage(frame.bitmap, 0, 0);
    Object.assign(canvas.dataset, { seq: frame.seq, full: frame.isFull });
    zoom.size(frame.fullWidth, frame.fullHeight);
    for (const listener of [...frameListeners]) listener(frame);
  }

  function tell(kind, { frame, error, isWorking }) {
    root.classList.toggle("working", isWorking);
    root.setAttribute("aria-busy", String(isWorking));
    if (kind === "frame") draw(frame);
    const label = options.label?.() ?? "";
    canvas.setAttribute("aria-label", label || "Result");
    meta.textContent = frame && !error ? describe(frame) : "";
    cover.hidden = Boolean(frame) && (!error || error.code === "offline"); // the line above the screens says that
    root.classList.toggle("empty", !frame);
    refill(cover, cover.hidden ? [] : explained(studio, error, { isEmpty: !state.get().recipe, retry: live.again }));
    if (!original.hidden) original.src = before() ?? "";
    if (kind === "done" && frame) studio.announce(`${label ? `${label}. ` : ""}${text.done(seconds(frame))}`, 700);
  }

  function describe(frame) {
    const size = text.size(frame.fullWidth, frame.fullHeight);
    const { layers, directions } = frame.recipe;
    const more = [layers.length && text.layers(layers.length), directions.length && text.moves(directions.length)];
    return [size, frame.isFull ? `${seconds(frame)} s` : text.quick, ...more.filter(Boolean)].join(" · ");
  }

  canvas.draggable = Boolean(options.drag);
  canvas.addEventListener("dragstart", (event) => {
    if (zoom.scale > 1 || !live.frame) return event.preventDefault();
    event.dataTransfer.setData("application/x-swapae-result", "1");
    event.dataTransfer.effectAllowed = "copy";
    return undefined;
  });

  ends.push(live.subscribe(tell));
  ends.push(keys.add({ id: "compare", keys: [" "], label: text.compare, area: "Picture", run: () => compare(true), up: () => compare(false) }));
  ends.push(keys.add({ id: "split", keys: ["c"], label: text.split, area: "Picture", run: () => split(!isSplit()) }));
  ends.push(keys.add({ id: "zoom-in", keys: ["+", "="], label: text.zoomIn, area: "Picture", run: () => zoom.by(1.5) }));
  ends.push(keys.add({ id: "zoom-out", keys: ["-"], label: text.zoomOut, area: "Picture", run: () => zoom.by(1 / 1.5) }));
  ends.push(keys.add({ id: "fit", keys: ["0"], label: text.fit, area: "Picture", run: () => zoom.fit() }));
  ends.push(history.subscribe(() => !original.hidden && (original.src = before() ?? "")));
  compare(false);
  tell("frame", { frame: live.frame, error: live.error, isWorking: live.isWorking });
  queueMicrotask(() => zoom.apply());

  return {
    root,
    overlay,
    canvas,
    window: window_,
    zoom,
    compare,
    split,
    toPicture(event) {
      const box = picture.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    },
    /** Call `listener(frame)` after each frame was drawn; gives back a function that ends it. */
    onFrame(listener) {
      frameListeners.add(listener);
      return () => frameListeners.delete(listener);
    },
    destroy() {
      for (const end of ends) end();
      zoom.destroy();
    },
  };
}

function seconds(frame) {
  return frame.seconds >= 0.1 ? frame.seconds.toFixed(1) : frame.seconds.toFixed(2);
}
