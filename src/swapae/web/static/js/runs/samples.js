// The sample grids of a run: the newest, and a slider through the older ones.

import { freshId, h } from "../ui/dom.js";

const KINDS = [
  ["fixed", "Same images each time"],
  ["fixed raw", "Same images, weights not averaged"],
  ["random", "Other images each time"],
  ["random raw", "Other images, weights not averaged"],
];
const PLAY = 450; // ms a grid

/** Grids by moment: `[{seen, kinds: Map(kind → number)}]`, in order of time. */
export function moments(snapshots) {
  const found = new Map();
  for (const { images_seen: seen, kind, raw, number } of snapshots) {
    if (!found.has(seen)) found.set(seen, new Map());
    found.get(seen).set(raw ? `${kind} raw` : kind, number);
  }
  return [...found].sort(([a], [b]) => a - b).map(([seen, kinds]) => ({ seen, kinds }));
}

/** The part of the page that shows grids; `addressOf(number)` gives the address of one. */
export class Samples {
  constructor(addressOf) {
    Object.assign(this, { addressOf, moments: [], at: 0, timer: 0 });
    const id = freshId("grid");
    this.kind = h("select", { "aria-label": "Which samples", onchange: () => this.show() });
    this.slider = h("input", { type: "range", id, min: 0, step: 1, oninput: () => this.go(Number(this.slider.value)) });
    this.play = h("button", { type: "button", class: "quiet", onclick: () => this.toggle() }, "Play");
    this.caption = h("output", { for: id });
    this.image = h("img", { alt: "", decoding: "async", onerror: () => this.lost(), onload: () => this.figure.classList.remove("is-lost") });
    const controls = h("div", { class: "grid-controls" }, h("label", { for: id }, "After"), this.slider, this.caption, this.play, this.kind);
    this.link = h("a", { target: "_blank", rel: "noopener" }, this.image);
    this.figure = h("figure", { class: "grid-figure" }, controls, this.link, h("figcaption", {}, ROWS));
    this.none = h("p", { class: "soft" }, "No samples have been drawn yet. The first grid appears by itself.");
    this.element = h("div", { class: "grid-samples" }, this.figure, this.none);
  }

  /** Take the grids in that there are now; whoever looks at the newest sees the new newest. */
  update(snapshots, isOther) {
    const wasNewest = isOther || this.at >= this.moments.length - 1;
    const seen = this.moments[this.at]?.seen;
    const drawn = this.moments.length;
    this.moments = moments(snapshots);
    this.figure.hidden = !this.moments.length;
    this.none.hidden = this.moments.length > 0;
    if (isOther) this.stop();
    if (!this.moments.length) return;
    this.offer();
    this.slider.max = this.moments.length - 1;
    const same = this.moments.findIndex((one) => one.seen === seen);
    const at = wasNewest || same < 0 ? this.moments.length - 1 : same;
    if (isOther || at !== this.at || drawn !== this.moments.length) this.go(at);
  }

  offer() {
    const there = KINDS.filter(([kind]) => this.moments.some(({ kinds }) => kinds.has(kind)));
    if (there.length === this.kind.options.length) return;
    const before = this.kind.value;
    this.kind.replaceChildren(...there.map(([value, text]) => h("option", { value }, text)));
    this.kind.value = there.some(([kind]) => kind === before) ? before : there[0][0];
  }

  go(at) {
    this.at = at;
    this.slider.value = at;
    this.show();
  }

  show() {
    const { seen, kinds } = this.moments[this.at];
    const number = kinds.get(this.kind.value);
    const words = `${seen.toLocaleString("en")} images`;
    this.slider.setAttribute("aria-valuetext", words);
    this.caption.textContent = number === undefined ? `${words}: no such grid was drawn then` : words;
    this.link.hidden = number === undefined;
    if (number === undefined) return;
    this.image.alt = `Samples after ${words}: ${this.kind.selectedOptions[0].textContent.toLowerCase()}`;
    this.image.src = this.link.href = this.addressOf(number);
    const next = this.moments[this.at + 1]?.kinds.get(this.kind.value);
    if (this.timer && next !== undefined) new Image().src = this.addressOf(next);
  }

  lost() {
    this.figure.classList.add("is-lost");
    this.caption.textContent += ": this grid is not there any more";
  }

  toggle() {
    if (this.timer) return this.stop();
    if (this.at >= this.moments.length - 1) this.go(0);
    this.play.textContent = "Stop";
    this.timer = setInterval(() => {
      this.go(this.at + 1);
      if (this.at >= this.moments.length - 1) this.stop();
    }, PLAY);
    return undefined;
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = "Play";
  }
}

const ROWS =
  "Rows: images; their structure codes as colours; their reconstructions; hybrids, with the structure of the image above " +
  "them and the texture of its neighbour (columns 1 and 2, 3 and 4, …).";
