// One chart of a training: curves as SVG in the colours of the page, with a legend that tells the values at a moment.

import { h, svg } from "../ui/dom.js";
import { labels } from "./groups.js";
import { exact, fitted, scale, short } from "./scale.js";
import { nearest, smoothed, thinned } from "./series.js";

const MOST_POINTS = 300; // of a curve; more would fall on the same pixels
const FEW_POINTS = 40; // up to which each is marked with a dot
const HEIGHT = 190;
const [LEFT, TOP, RIGHT, BOTTOM] = [46, 8, 10, 22]; // margins of the frame

/** A chart of one `spec` (groups.js). `onLook(seen)` hears what moment the pointer is at; null when it leaves. */
export class Chart {
  constructor(spec, onLook) {
    this.spec = spec;
    this.curves = [];
    this.seen = null;
    this.legend = h("ul", { class: "chart-legend" });
    const note = spec.note && h("p", { class: "chart-note" }, spec.note);
    this.element = h("section", { class: "chart" }, h("h4", {}, spec.title), this.drawn(onLook), this.legend, note || null);
  }

  drawn(onLook) {
    this.svg = svg("svg", { role: "img", class: "chart-curves", height: HEIGHT });
    this.svg.addEventListener("pointermove", (event) => this.across && onLook(this.momentAt(event)));
    this.svg.addEventListener("pointerleave", () => onLook(null));
    return this.svg;
  }

  momentAt(event) {
    const box = this.svg.getBoundingClientRect();
    const inside = Math.min(this.width - RIGHT, Math.max(LEFT, event.clientX - box.left));
    return this.across.back(inside);
  }

  /** Draw anew. `most` is where the axis of images ends; `axis` is `auto`, `linear` or `log`. */
  update(series, { smoothing, axis, most, width }) {
    this.width = width;
    const bases = this.spec.names.filter((name) => !/ (low|high)$/.test(name));
    const titles = labels(bases);
    const amount = this.spec.group === "Measured" ? 0 : smoothing;
    this.curves = bases.map((name, i) => ({ title: titles[i], ...curveOf(series, name, amount) }));
    const isLog = axis === "log" || (axis === "auto" && this.spec.isLog);
    const values = this.curves.flatMap((curve) => [...(curve.raw ?? curve.y), ...(curve.hasInterval ? [...curve.low, ...curve.high] : [])]);
    this.across = scale(0, Math.max(1, most), LEFT, width - RIGHT);
    this.up = fitted(values, HEIGHT - BOTTOM, TOP, isLog);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.setAttribute("aria-label", this.described());
    this.marks = svg("g", { class: "marks" });
    this.svg.replaceChildren(...this.axes(), ...this.curves.flatMap((curve, i) => this.curve(curve, i)), this.marks);
    this.legend.replaceChildren(...this.curves.map((curve, i) => this.entry(curve, i)));
    this.look(this.seen);
  }

  described() {
    const last = this.curves.map((curve) => `${curve.title} ${exact(curve.y.at(-1))}`);
    return `${this.spec.title}, over the images seen. Now: ${last.join(", ")}.`;
  }

  axes() {
    const [right, bottom] = [this.width - RIGHT, HEIGHT - BOTTOM];
    const rows = this.up.ticks.flatMap((value) => {
      const y = this.up.at(value);
      return [
        svg("line", { class: "rule", x1: LEFT, x2: right, y1: y, y2: y }),
        svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, short(value)),
      ];
    });
    const columns = this.across.ticks.map((value) => {
      const x = this.across.at(value);
      return svg("text", { x, y: bottom + 16, "text-anchor": x > right - 14 ? "end" : "middle" }, short(value));
    });
    return [...rows, ...columns];
  }

  curve(curve, i) {
    const place = (x, y) => `${this.across.at(x).toFixed(1)},${this.up.at(this.inside(y)).toFixed(1)}`;
    const points = curve.x.map((x, at) => place(x, curve.y[at]));
    const there = curve.x.map((x, at) => place(x, curve.high[at]));
    const back = curve.x.map((x, at) => place(x, curve.low[at])).reverse();
    const raw = curve.raw?.map((y, at) => place(curve.x[at], y));
    const parts = raw ? [svg("polyline", { class: `line raw c${i}`, points: raw.join(" ") })] : [];
    if (curve.hasInterval || !raw) parts.push(svg("polygon", { class: `band c${i}`, points: [...there, ...back].join(" ") }));
    parts.push(svg("polyline", { class: `line c${i}`, points: points.join(" ") }));
    if (points.length <= FEW_POINTS) parts.push(...points.map((point) => dot(point, i, 2)));
    return parts;
  }

  inside(value) {
    return Math.min(this.up.high, Math.max(this.up.low, value));
  }

  entry(curve, i) {
    const line = svg("line", { class: `line c${i}`, x1: 0, x2: 24, y1: 3, y2: 3 });
    const swatch = svg("svg", { viewBox: "0 0 24 6", width: 24, height: 6, "aria-hidden": "true" }, line);
    curve.output = h("span", { class: "chart-value" });
    return h("li", { title: curve.name }, swatch, h("span", {}, curve.title), curve.output);
  }

  /** Tell the values at the moment `seen`, the newest where it is null, and mark it. */
  look(seen) {
    this.seen = seen;
    this.marks?.replaceChildren();
    this.curves.forEach((curve, i) => {
      const at = seen === null ? curve.x.length - 1 : nearest(curve.x, seen);
      curve.output.textContent = valueAt(curve, at);
      if (seen !== null) this.marks.append(dot([this.across.at(curve.x[at]), this.up.at(this.inside(curve.y[at]))].join(), i, 3.5));
    });
    if (seen === null || !this.marks) return;
    const x = this.across.at(seen);
    this.marks.prepend(svg("line", { class: "cursor", x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
  }
}

function curveOf(series, name, smoothing) {
  const { x, y } = series.columns.get(name);
  const ends = [`${name} low`, `${name} high`].map((end) => series.columns.get(end)?.y);
  const hasInterval = ends.every((end) => end?.length === y.length);
  const [low, high] = hasInterval ? ends : [y, y];
  const raw = smoothing > 0 && y.length > FEW_POINTS ? thinned(x, y, MOST_POINTS).y : null;
  return { name, hasInterval, raw, ...thinned(x, raw ? smoothed(y, smoothing) : y, MOST_POINTS, low, high) };
}

function valueAt(curve, at) {
  const value = exact(curve.y[at]);
  return curve.hasInterval ? `${value} (${exact(curve.low[at])} to ${exact(curve.high[at])})` : value;
}

function dot(point, i, r) {
  const [cx, cy] = point.split(",");
  return svg("circle", { class: `dot c${i}`, cx, cy, r });
}
