// All charts of a run in their groups, with the controls they share: smoothing, axis, the moment looked at, a table.

import { freshId, h, refill } from "../ui/dom.js";
import { Chart } from "./chart.js";
import { chartsFor, label } from "./groups.js";
import { exact } from "./scale.js";

const LIVE = "newest";

/** The curves of a run. */
export class Curves {
  constructor() {
    Object.assign(this, { charts: new Map(), series: null, most: 1, seen: null, pointed: null, drawn: "" });
    this.smoothing = this.range("Smoothing", { min: 0, max: 0.95, step: 0.05, value: 0.6 }, () => this.draw());
    this.moment = this.range("Values after", { min: 0, max: 1000, step: 1, value: 1000 }, () => this.look(null), true);
    this.axis = h("select", { onchange: () => this.draw() }, ...AXES.map(([value, text]) => h("option", { value }, text)));
    const axis = h("label", { class: "chart-control" }, h("span", {}, "Axis"), this.axis);
    this.controls = h("div", { class: "chart-controls" }, this.smoothing.element, this.moment.element, axis);
    this.groups = h("div", { class: "chart-groups" });
    this.rows = h("tbody");
    this.element = h("div", {}, this.controls, this.groups, this.table());
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.groups);
    this.tell();
  }

  /** A labelled slider with its value. */
  range(title, limits, oninput, isWide = false) {
    const id = freshId("curves");
    const input = h("input", { type: "range", id, ...limits, oninput });
    const output = h("output", { for: id });
    return { input, output, element: h("div", { class: `chart-control ${isWide ? "is-wide" : ""}` }, h("label", { for: id }, title), input, output) };
  }

  table() {
    const head = ["Figure", "Newest", "After", "Lowest", "Highest"].map((text) => h("th", { scope: "col" }, text));
    const table = h("table", { class: "chart-table" }, h("caption", { class: "unseen" }, "The newest values"), h("thead", {}, h("tr", {}, ...head)), this.rows);
    return h("details", {}, h("summary", {}, "All newest values as a table"), h("div", { class: "chart-scroll", tabIndex: 0, role: "region", "aria-label": "Table of values" }, table));
  }

  /** Take in the log as it is now. */
  update(series) {
    if (series !== this.series) this.moment.input.value = this.moment.input.max;
    this.series = series;
    this.most = series.newest("images_seen")?.value ?? 1;
    const specs = chartsFor(series.names);
    const shape = JSON.stringify(specs.map(({ title, names }) => [title, names]));
    if (shape !== this.drawn) this.arrange(specs);
    this.drawn = shape;
    this.controls.hidden = !specs.length;
    this.fill();
    this.draw();
  }

  /** Put the charts there are into their groups; those that stay are kept. */
  arrange(specs) {
    const charts = specs.map((spec) => {
      const chart = this.charts.get(spec.group + spec.title) ?? new Chart(spec, (seen) => this.look(seen));
      chart.spec = spec;
      return [spec, chart];
    });
    this.charts = new Map(charts.map(([spec, chart]) => [spec.group + spec.title, chart]));
    const groups = Map.groupBy(charts, ([{ group }]) => group);
    refill(this.groups, [...groups].map(([group, some]) => {
      const grid = h("div", { class: "chart-grid" }, some.map(([, chart]) => chart.element));
      return h("section", { class: "chart-group", dataset: { count: Math.min(3, some.length) } }, h("h3", {}, group), grid);
    }));
  }

  draw() {
    if (!this.series || !this.groups.isConnected || !this.groups.clientWidth) return;
    const [smoothing, axis] = [Number(this.smoothing.input.value), this.axis.value];
    for (const chart of this.charts.values()) {
      const width = Math.max(200, chart.svg.clientWidth || chart.element.clientWidth);
      chart.update(this.series, { smoothing, axis, most: this.most, width });
    }
    this.look(this.pointed);
  }

  /** Show the values at a moment in all charts: where the pointer is; null is where the slider stands. */
  look(seen) {
    this.pointed = seen;
    const share = Number(this.moment.input.value) / Number(this.moment.input.max);
    this.seen = seen ?? (share >= 1 ? null : share * this.most);
    for (const chart of this.charts.values()) chart.look(this.seen);
    this.tell();
  }

  tell() {
    const words = this.seen === null ? LIVE : `${Math.round(this.seen).toLocaleString("en")} images`;
    this.moment.output.textContent = words;
    this.moment.input.setAttribute("aria-valuetext", words);
    const amount = Number(this.smoothing.input.value);
    this.smoothing.output.textContent = amount ? amount.toFixed(2) : "none";
  }

  fill() {
    const rows = this.series.names.filter((name) => name !== "images_seen").map((name) => {
      const { x, y } = this.series.columns.get(name);
      const [low, high] = y.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
      const cells = [exact(y.at(-1)), x.at(-1).toLocaleString("en"), exact(low), exact(high)];
      return h("tr", {}, h("th", { scope: "row", title: name }, label(name)), cells.map((text) => h("td", {}, text)));
    });
    refill(this.rows, rows);
  }

  close() {
    this.watch.disconnect();
  }
}

const AXES = [["auto", "as fits each"], ["linear", "linear"], ["log", "logarithmic"]];
