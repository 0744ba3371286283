/** Where a picture lies in its window: fitted, or zoomed about the pointer and moved, never out of sight. */

import { place } from "./dom.js";

const MOST = 16;

/** @returns {{size, by, fit, apply, scale, destroy}} */
export function view(window_, picture, { pan = "left", canPan = () => true } = {}) {
  let [width, height] = [1, 1];
  let [scale, x, y] = [1, 0, 0]; // x, y: shift of the middle, in pixels of the page
  const watcher = new ResizeObserver(() => apply());
  watcher.observe(window_);

  function fitted() {
    const room = { width: window_.clientWidth, height: window_.clientHeight };
    const by = Math.max(0.01, Math.min(room.width / width, room.height / height));
    return { room, wide: width * by, high: height * by };
  }

  function apply() {
    const { room, wide, high } = fitted();
    const limit = (size, space) => Math.max(0, (size * scale - space) / 2);
    x = Math.min(limit(wide, room.width), Math.max(-limit(wide, room.width), x));
    y = Math.min(limit(high, room.height), Math.max(-limit(high, room.height), y));
    const [w, tall] = [wide * scale, high * scale];
    const [left, top] = [(room.width - w) / 2 + x, (room.height - tall) / 2 + y];
    place(picture, { left: `${left}px`, top: `${top}px`, width: `${w}px`, height: `${tall}px` });
    place(window_, { "--left": `${left}px`, "--top": `${top}px`, "--wide": `${w}px`, "--high": `${tall}px` });
    window_.classList.toggle("zoomed", scale > 1);
  }

  function by(factor, about = null) {
    const next = Math.min(MOST, Math.max(1, scale * factor));
    const ratio = next / scale;
    const box = window_.getBoundingClientRect();
    const [px, py] = about ? [about.clientX - box.left - box.width / 2, about.clientY - box.top - box.height / 2] : [0, 0];
    [x, y, scale] = [px + (x - px) * ratio, py + (y - py) * ratio, next];
    apply();
  }

  window_.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.defaultPrevented || !event.deltaY) return;
      event.preventDefault();
      by(Math.exp(-event.deltaY / 400), event);
    },
    { passive: false },
  );
  // One pointer moves a zoomed picture; two fingers zoom about their middle, and move it by that.
  const hands = new Map(); // pointers that are down, and where
  let before = null; // the middle of them, and how far apart two are

  function grip() {
    const [a, b = a] = hands.values();
    return { clientX: (a.x + b.x) / 2, clientY: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  }

  function isWelcome({ pointerType, button, target }) {
    if (target.matches("input, button")) return false;
    if (pointerType === "touch") return hands.size < 2;
    return !hands.size && scale > 1 && (button === 1 || (button === 0 && pan === "left" && canPan()));
  }

  function down(event) {
    if (!isWelcome(event)) return;
    hands.set(event.pointerId, { x: event.clientX, y: event.clientY });
    before = grip();
    if (event.pointerType === "touch") return; // fingers are followed anyhow
    event.preventDefault();
    window_.setPointerCapture(event.pointerId);
  }

  function move(event) {
    if (!hands.has(event.pointerId)) return;
    hands.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const now = grip();
    if (hands.size === 2 || pan === "left" || event.pointerType !== "touch") {
      [x, y] = [x + now.clientX - before.clientX, y + now.clientY - before.clientY];
      by(before.apart ? now.apart / before.apart : 1, now);
    }
    before = now;
  }

  function up(event) {
    if (hands.delete(event.pointerId) && hands.size) before = grip();
  }

  const ways = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up };
  for (const [name, hear] of Object.entries(ways)) window_.addEventListener(name, hear, { capture: true }); // before a board over the picture

  return {
    by,
    apply,
    fit() {
      [scale, x, y] = [1, 0, 0];
      apply();
    },
    size(w, tall) {
      if (w === width && tall === height) return;
      [width, height] = [w, tall];
      apply();
    },
    get scale() {
      return scale;
    },
    destroy: () => watcher.disconnect(),
  };
}
