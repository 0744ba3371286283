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
  window_.addEventListener("pointerdown", (event) => {
    const isWanted = event.button === 1 || (event.button === 0 && pan === "left" && canPan());
    if (!isWanted || scale <= 1 || event.target.matches("input, button")) return;
    event.preventDefault();
    window_.setPointerCapture(event.pointerId);
    const from = { x: x - event.clientX, y: y - event.clientY };
    const move = (next) => {
      [x, y] = [from.x + next.clientX, from.y + next.clientY];
      apply();
    };
    window_.addEventListener("pointermove", move);
    const end = () => window_.removeEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) window_.addEventListener(name, end, { once: true });
  });

  // Two fingers: their distance zooms about their middle.
  const fingers = new Map();
  let apart = 0;
  window_.addEventListener("pointerdown", (event) => event.pointerType === "touch" && fingers.set(event.pointerId, event));
  window_.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event);
    if (fingers.size !== 2) return;
    const [a, b] = fingers.values();
    const now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const middle = { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 };
    if (apart) by(now / apart, middle);
    apart = now;
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
    window_.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      apart = 0;
    });
  }

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
