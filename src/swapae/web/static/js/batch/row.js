// One photo of the batch in the list: its picture as soon as there is one, how far it is, and what can be done.

import { h, refill } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { bytesWritten } from "./names.js";

const THUMBNAIL = 112; // pixels
const WORDS = { waiting: "Waiting", sending: "Sending…", rendering: "Making its picture…", stopped: "Stopped" };

/** A row; `retry(item)`, `remove(item)` and `kept(item)`, after its download, are what its buttons do. */
export class Row {
  constructor(item, { retry, remove, kept }) {
    Object.assign(this, { item, addresses: [], drawn: null });
    this.picture = h("span", { class: "batch-picture" });
    this.state = h("span", { class: "batch-state" });
    this.save = h("a", { class: "button quiet", download: saved(item.name), onclick: () => kept(item), "aria-label": `Download ${item.name}` }, icon("save", 18));
    this.again = h("button", { class: "quiet", "aria-label": `Try ${item.path} again`, onclick: () => retry(item) }, icon("refresh", 18));
    this.away = h("button", { class: "bare", "aria-label": `Remove ${item.path}`, onclick: () => remove(item) }, icon("close", 18));
    const words = h("span", { class: "batch-words" }, h("span", { class: "batch-name", title: item.path }, item.path), this.state);
    this.element = h("li", { class: "batch-row" }, this.picture, words, h("span", { class: "batch-actions" }, this.save, this.again, this.away));
    this.update();
  }

  update() {
    const { item } = this;
    const { state, error, result } = item;
    this.element.dataset.state = state;
    this.state.textContent = error || WORDS[state] || `${result.width} × ${result.height}, ${bytesWritten(result.blob.size)}`;
    this.save.hidden = !result;
    this.again.hidden = state !== "failed" && state !== "stopped";
    if (result !== this.drawn || !result) this.draw();
    this.picture.classList.toggle("is-working", state === "sending" || state === "rendering");
  }

  draw() {
    this.forget();
    this.drawn = this.item.result;
    refill(this.picture, icon(this.item.state === "failed" ? "warning" : "image", 24));
    if (!this.drawn) return;
    const { blob } = this.drawn;
    this.save.href = this.address(blob);
    small(blob).then((thumbnail) => {
      if (this.drawn?.blob === blob && thumbnail) refill(this.picture, h("img", { src: this.address(thumbnail), alt: "" }));
    });
  }

  address(blob) {
    this.addresses.push(URL.createObjectURL(blob));
    return this.addresses.at(-1);
  }

  /** Let go of what the browser keeps for this row. */
  forget() {
    this.addresses.splice(0).forEach((address) => URL.revokeObjectURL(address));
    this.drawn = null;
    this.save.removeAttribute("href");
  }
}

/** A name for one file alone: without its folders. */
function saved(name) {
  return name.split("/").at(-1);
}

/** A small picture of a large one, so that the list holds no large ones; null where it cannot be drawn. */
async function small(blob) {
  const whole = await createImageBitmap(blob).catch(() => null);
  if (!whole) return null;
  const share = Math.min(1, THUMBNAIL / Math.max(whole.width, whole.height));
  const canvas = h("canvas", { width: Math.max(1, Math.round(share * whole.width)), height: Math.max(1, Math.round(share * whole.height)) });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, canvas.width, canvas.height);
  whole.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.85));
}
