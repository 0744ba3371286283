// What is painted on: a mask over the picture, drawn by mouse, touch, pen, or by arrow keys and Enter.

import { h, svg } from "../ui/dom.js";
import { outlined } from "./outline.js";
import { feathered, resized } from "./raster.js";
import { begun, pressed } from "./strokes.js";
import { text } from "./text.js";

const LARGEST_PREVIEW = 512; // pixels of a side, of a faded mask
const STEPS = 64; // of the cursor across the picture

/**
 * Make the board.
 * @param tools {tool, diameter, isErasing}: read whenever a stroke begins.
 * @param on {begin() → is it allowed, draw(raster), end(raster, tool), cancel(), pick([x, y], isErasing), say(sentence)}: `draw`
 *   comes once a frame while a stroke goes on, `pick` is a click of the region tool.
 */
export function createBoard(tools, on) {
  const canvas = h("canvas", { class: "board-mask", "aria-hidden": "true" });
  const edge = svg("path", { class: "board-edge" });
  const line = svg("polyline", { class: "board-line" });
  const ring = svg("circle", { class: "board-ring" });
  const cross = svg("path", { class: "board-cross" });
  const lines = svg("svg", { class: "board-lines", "aria-hidden": "true", preserveAspectRatio: "none" }, edge, line, ring, cross);
  const root = h("div", { class: "board", tabIndex: 0, role: "application", "aria-label": text.board }, canvas, lines);
  let mask = null; // the raster at rest
  let feather = 0;
  let stroke = null;
  let lastEnd = null; // of the last stroke, to which a straight one is joined
  let cursor = null; // of the keyboard
  let frame = 0;

  // ---- what is seen

  function tint(raster) {
    const { width, height } = raster;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    const image = context.createImageData(raster.width, raster.height);
    for (let at = 0; at < raster.data.length; at++) image.data[4 * at + 3] = raster.data[at];
    context.putImageData(image, 0, 0);
    context.globalCompositeOperation = "source-in"; // the colour is the style sheet's
    context.fillStyle = getComputedStyle(root).color;
    context.fillRect(0, 0, raster.width, raster.height);
    context.globalCompositeOperation = "source-over";
  }

  function rest() {
    line.setAttribute("points", "");
    if (!mask) return;
    lines.setAttribute("viewBox", `0 0 ${mask.width} ${mask.height}`);
    edge.setAttribute("d", outlined(mask));
    tint(faded(mask, feather));
  }

  function drawn() {
    frame = 0;
    if (!stroke) return;
    const raster = stroke.raster();
    edge.setAttribute("d", "");
    line.setAttribute("points", stroke.outline().map((point) => point.join(",")).join(" "));
    tint(raster);
    on.draw(raster);
  }

  function showRing(point) {
    const isBrush = tools.tool === "brush" || tools.tool === "eraser";
    ring.setAttribute("r", isBrush && point ? tools.diameter / 2 : 0);
    if (point) [["cx", point[0]], ["cy", point[1]]].forEach(([name, value]) => ring.setAttribute(name, value));
    const size = mask ? Math.max(mask.width, mask.height) / 40 : 0;
    const isAtKeys = cursor && point === cursor;
    cross.setAttribute("d", isAtKeys ? `M${point[0] - size} ${point[1]}h${2 * size}M${point[0]} ${point[1] - size}v${2 * size}` : "");
  }

  // ---- strokes, whoever makes them

  function begin(point, options) {
    if (!mask || stroke) return;
    if (tools.tool === "region") {
      on.pick(point, options.isErasing);
      return;
    }
    if (!on.begin()) return;
    const { tool, diameter, isErasing } = tools;
    stroke = begun(tool, mask, point, { diameter, isErasing, before: lastEnd, ...options });
    wait();
  }

  function move(point, options) {
    stroke?.move(point, options);
    wait();
  }

  function end() {
    if (!stroke) return;
    mask = stroke.raster();
    lastEnd = stroke.end;
    stroke = null;
    rest();
    on.end(mask, tools.tool);
  }

  function cancel() {
    if (!stroke) return false;
    stroke = null;
    rest();
    on.cancel();
    return true;
  }

  function wait() {
    frame ||= requestAnimationFrame(drawn);
  }

  // ---- mouse, touch and pen

  function pointOf(event) {
    const box = root.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * mask.width, ((event.clientY - box.top) / box.height) * mask.height];
  }

  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !mask) return;
    if (!event.isPrimary) {
      cancel(); // a second finger: it was no stroke
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    root.focus({ preventScroll: true });
    root.setPointerCapture(event.pointerId);
    cursor = null;
    begin(pointOf(event), { diameter: pressed(tools.diameter, event), ...(event.altKey && { isErasing: true }) });
    if (stroke && event.shiftKey && lastEnd) move(pointOf(event), { isStraight: true });
  });
  root.addEventListener("pointermove", (event) => {
    if (!mask) return;
    showRing(pointOf(event));
    if (!stroke || !event.isPrimary || !root.hasPointerCapture(event.pointerId)) return;
    event.stopPropagation();
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) {
      move(pointOf(one), { isStraight: one.shiftKey, diameter: pressed(tools.diameter, one) });
    }
  });
  root.addEventListener("pointerup", (event) => event.isPrimary && end());
  root.addEventListener("pointercancel", cancel);
  root.addEventListener("pointerleave", () => showRing(cursor));
  root.addEventListener("contextmenu", (event) => stroke && event.preventDefault());

  // ---- keys

  root.addEventListener("keydown", (event) => {
    if (!mask || event.ctrlKey || event.metaKey) return;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in steps) goOn(steps[event.key], event.shiftKey);
    else if (event.key === "Enter" && !event.repeat) press(event.altKey);
    else if (event.key !== "Escape" || !cancel()) return;
    event.preventDefault();
    event.stopPropagation();
  });

  function goOn([dx, dy], isFine) {
    const step = isFine ? 1 : Math.max(1, Math.round(Math.max(mask.width, mask.height) / STEPS));
    const [x, y] = cursor ?? [mask.width / 2, mask.height / 2];
    cursor = [Math.min(mask.width, Math.max(0, x + dx * step)), Math.min(mask.height, Math.max(0, y + dy * step))];
    showRing(cursor);
    if (stroke) move(cursor);
    on.say(text.at(...cursor.map(Math.round)));
  }

  function press(isErasing) {
    cursor ??= [mask.width / 2, mask.height / 2];
    showRing(cursor);
    if (stroke) {
      end();
      on.say(text.penUp);
    } else {
      begin(cursor, isErasing ? { isErasing } : {});
      if (stroke) on.say(text.penDown(tools.tool));
    }
  }

  root.addEventListener("focus", () => {
    if (!mask || !root.matches(":focus-visible")) return;
    cursor ??= [mask.width / 2, mask.height / 2];
    showRing(cursor);
  });
  root.addEventListener("blur", () => {
    if (cursor && stroke) end();
    showRing(null);
  });

  return {
    root,
    get isDrawing() {
      return stroke !== null;
    },
    cancel,
    end,
    /** Show the mask of a layer, null for none; a stroke under way goes on with what it began on. */
    show(raster, fade) {
      const isSame = raster === mask && fade === feather;
      if (raster?.width !== mask?.width || raster?.height !== mask?.height) [lastEnd, cursor] = [null, null];
      [mask, feather] = [raster, fade];
      root.hidden = raster === null;
      if (!stroke && !isSame) rest();
    },
    /** Show the brush as large as it is now. */
    resize() {
      const at = ["cx", "cy"].map((name) => Number(ring.getAttribute(name)));
      if (mask && ring.getAttribute("cx") !== null) showRing(cursor ?? at);
    },
    recolor: rest,
  };
}

/** Fade a mask for the eye: a large one at a smaller size. */
function faded(raster, feather) {
  const scale = Math.min(1, LARGEST_PREVIEW / Math.max(raster.width, raster.height));
  if (feather < 1 || scale === 1) return feathered(raster, feather);
  const small = resized(raster, Math.round(raster.width * scale), Math.round(raster.height * scale));
  return feathered(small, feather * scale);
}
