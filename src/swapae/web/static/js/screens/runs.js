// Runs: how trainings go, live. Curves, sample grids, speed and time left; nothing here can change a run.

import { Curves } from "../runs/curves.js";
import { Feed, progress } from "../runs/feed.js";
import { Samples } from "../runs/samples.js";
import { duration } from "../runs/scale.js";
import { text } from "../text.js";
import { h, refill } from "../ui/dom.js";
import { emptyState, workingState } from "../ui/states.js";

const STATES = {
  training: "Training",
  done: "Finished",
  stopped: "Stopped",
  empty: "Not begun",
};
let chosen = ""; // the run looked at, while the page lives
let view = null;

export const id = "runs";
export const title = text.screens.runs;
export const key = "6";

export function mount(root, studio) {
  view = new View(root, studio);
}

export function unmount() {
  view?.close();
  view = null;
}

class View {
  constructor(root, { api }) {
    this.feed = new Feed(api, () => this.update());
    if (chosen) this.feed.forget(chosen);
    this.api = api;
    Object.assign(this, { shown: "", explained: "", offered: "" });
    this.curves = new Curves();
    this.samples = new Samples((number) => `/api/v1/runs/${encodeURIComponent(this.feed.chosen)}/snapshots/${number}`);
    this.build(root);
    this.feed.start();
  }

  build(root) {
    this.choice = h("select", { onchange: () => this.feed.choose(this.choice.value) });
    this.chooser = h("label", { class: "runs-choice" }, h("span", {}, "Run"), this.choice);
    this.state = h("span", { class: "runs-state" });
    this.bar = h("progress", { max: 1, "aria-label": "Share of the training that is done" });
    this.facts = h("dl", { class: "runs-facts" });
    this.notice = h("p", { class: "runs-notice", role: "status" });
    const head = h("div", { class: "runs-head" }, h("h2", {}, "Training runs"), this.chooser, this.state);
    const samples = h("section", { class: "runs-part" }, h("h3", {}, "Samples"), this.samples.element);
    const curves = h("section", { class: "runs-part", "aria-label": "Curves" }, this.curves.element);
    this.body = h("div", { class: "runs-body" }, this.bar, this.facts, samples, curves);
    this.empty = h("div", { class: "runs-empty" });
    root.append(h("div", { class: "runs-frame" }, head, this.notice, this.empty, this.body));
    this.update();
  }

  update() {
    const { feed } = this;
    chosen = feed.chosen;
    this.notice.textContent = feed.problem && !feed.isOff ? `${feed.problem} The page goes on asking.` : "";
    this.notice.hidden = !this.notice.textContent;
    this.body.hidden = this.chooser.hidden = this.state.hidden = !feed.run;
    this.empty.hidden = Boolean(feed.run);
    if (!feed.run) return this.explain();
    if (this.explained) refill(this.empty);
    this.explained = "";
    const isOther = this.shown !== feed.chosen;
    this.shown = feed.chosen;
    this.offer();
    this.tell();
    this.samples.update(feed.run.snapshots, isOther);
    return this.curves.update(feed.series);
  }

  /** Say why there is nothing to see, and what to do. */
  explain() {
    const { feed } = this;
    const state = feed.isOff ? "off" : feed.runs ? "none" : feed.problem ? "away" : "asking";
    if (state === this.explained) return;
    this.explained = state;
    if (state === "asking") refill(this.empty, workingState("Looking for runs…"));
    else refill(this.empty, emptyState({ name: "runs", ...WHY[state] }), state in HOW && h("pre", { tabIndex: 0 }, HOW[state]));
  }

  /** The runs there are, newest first. */
  offer() {
    const options = this.feed.runs.map(({ id, title }) => [id, title]);
    const key = JSON.stringify(options);
    if (key !== this.offered) this.choice.replaceChildren(...options.map(([value, text]) => h("option", { value }, text)));
    this.offered = key;
    this.choice.value = this.feed.chosen;
  }

  tell() {
    const { run, series } = this.feed;
    const now = progress(run, series);
    this.state.textContent = STATES[now.state];
    this.state.dataset.state = now.state;
    this.bar.hidden = now.share === null;
    this.bar.value = now.share ?? 0;
    refill(this.facts, facts(now, run).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  close() {
    this.feed.stop();
    this.curves.close();
    this.samples.stop();
  }
}

/** What is told of a run, in words. */
function facts(now, run) {
  const count = (value) => value.toLocaleString("en");
  const found = [["Images seen", now.seen === null ? "none yet" : now.total ? `${count(now.seen)} of ${count(now.total)}` : count(now.seen)]];
  if (now.speed) found.push(["Images a second", now.speed.toPrecision(3)]);
  if (now.left !== null) found.push(["Time left", duration(now.left)]);
  if (now.spent !== null) found.push(["Time spent", duration(now.spent)]);
  if (now.quiet !== null) found.push(["Last news", `${duration(now.quiet)} ago`]);
  if (run.image_size) found.push(["Image size", `${run.image_size} × ${run.image_size}`]);
  return found;
}

const WHY = {
  off: {
    title: "This studio was started without a folder of runs.",
    hint: "Start it with the folder your trainings are in, and their curves and samples appear here while they grow. Nothing in that folder is changed.",
  },
  none: { title: "There are no training runs in the folder yet.", hint: "A run appears here by itself as soon as it has begun there." },
  away: { title: "Nothing is known of the runs yet." },
};
const HOW = { off: "swapae studio --runs RUNS", none: "swapae train PHOTOS -o RUNS/first" };
