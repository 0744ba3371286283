/** A pad with photos at its corners and a dot between them, moved by mouse, finger or arrow keys. */

import { freshId, h, place, refill, svg } from "./dom.js";
import { bounded, places, weightsAt } from "../mixing.js";
import { text } from "../text.js";

const words = text.mix;
const STEP = 0.05;

/**
 * @param {{onMove: (point: {x, y}) => void, onEnd: () => void, onCorner: (at: number) => void}} handlers
 * @returns {{root: HTMLElement, show: (what: {corners: {title, url}[], point: {x, y}, active: number}) => void}}
 */
export function pad({ onMove, onEnd, onCorner }) {
  const helpId = freshId("pad-help");
  const lines = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
  const dot = h("button", { class: "dot", "aria-describedby": helpId, "aria-roledescription": words.pad });
  const field = h("div", { class: "field" }, lines, dot);
  const corners = h("div", { class: "corners" });
  const root = h("div", { class: "pad", role: "group", "aria-label": words.pad }, field, corners);
  const help = h("p", { class: "hint", id: helpId }, words.padHelp);
  let shown = { corners: [], point: { x: 0.5, y: 0.5 }, active: 0 };
  let buttons = []; // of the corners: they stay while the dot moves, so that a press on one ends on it

  function moveTo(point) {
    onMove(bounded(shown.corners.length, point));
  }

  field.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    dot.focus({ preventScroll: true });
    field.setPointerCapture(event.pointerId);
    const follow = (next) => {
      const box = field.getBoundingClientRect();
      moveTo({ x: (next.clientX - box.left) / box.width, y: (next.clientY - box.top) / box.height });
    };
    const end = () => {
      field.removeEventListener("pointermove", follow);
      for (const name of ["pointerup", "pointercancel"]) field.removeEventListener(name, end);
      onEnd();
    };
    follow(event);
    field.addEventListener("pointermove", follow);
    for (const name of ["pointerup", "pointercancel"]) field.addEventListener(name, end);
  });

  dot.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const size = event.shiftKey ? STEP / 5 : STEP;
    const { x, y } = shown.point;
    moveTo({ x: round(x + move[0] * size), y: round(y + move[1] * size) });
  });

  function corner(at, spot) {
    const style = { "--x": String(spot.x), "--y": String(spot.y) };
    const name = words.choose(at + 1);
    return h("button", { class: "corner", title: name, dataset: { at: String(at) }, style, onclick: () => onCorner(at) }, h("img", { alt: "", draggable: false }), h("span"));
  }

  function label(button, { title, url }, at, weight) {
    const percent = Math.round(100 * weight);
    const [image, share] = button.children;
    button.classList.toggle("active", at === shown.active);
    button.setAttribute("aria-pressed", String(at === shown.active));
    button.setAttribute("aria-label", `${words.choose(at + 1)}. ${words.weight(title, percent)}`);
    if (image.getAttribute("src") !== (url ?? "")) image.src = url ?? "";
    share.textContent = `${percent} %`;
  }

  function arrange(spots) {
    const focused = buttons.indexOf(document.activeElement);
    buttons = spots.map((spot, at) => corner(at, spot));
    refill(corners, buttons);
    buttons[focused]?.focus();
  }

  function show(what) {
    shown = what;
    const count = what.corners.length;
    const spots = places(count);
    const weights = weightsAt(count, what.point);
    root.dataset.count = String(count);
    if (buttons.length !== count) arrange(spots);
    buttons.forEach((button, at) => label(button, what.corners[at], at, weights[at]));
    place(dot, { left: `${100 * what.point.x}%`, top: `${100 * what.point.y}%` });
    dot.setAttribute("aria-label", what.corners.map(({ title }, at) => words.weight(title, Math.round(100 * weights[at]))).join(", "));
    refill(lines, outline(spots), spots.map((spot, at) => (weights[at] > 0.004 ? ray(spot, what.point, weights[at]) : [])).flat());
  }

  return { root, help, show };
}

const round = (value) => Number(value.toFixed(4));

/** The border of what the dot can reach. */
function outline(spots) {
  const order = spots.length === 4 ? [0, 1, 3, 2] : spots.map((_, at) => at);
  const points = order.map((at) => `${100 * spots[at].x},${100 * spots[at].y}`).join(" ");
  return svg("polygon", { points, class: "reach" });
}

/** A line from a corner to the dot, the thicker the more the corner weighs. */
function ray(spot, point, weight) {
  const ends = { x1: 100 * spot.x, y1: 100 * spot.y, x2: 100 * point.x, y2: 100 * point.y };
  return svg("line", { ...ends, class: "ray", "stroke-width": (1 + 7 * weight).toFixed(2), "vector-effect": "non-scaling-stroke" });
}
