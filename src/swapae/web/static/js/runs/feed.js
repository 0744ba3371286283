// What the server tells of training runs, asked for again and again while somebody looks.

import { Series } from "./series.js";

const EVERY = 4000; // ms between two questions
const SLOWEST = 30_000; // where nothing changes, or nobody answers
const QUIET = 10 * 60; // seconds without a line after which a run counts as stopped, at least
const MANY = 4; // or so many times the seconds between two lines

/**
 * Follows the runs; `changed()` hears of news. It asks nothing while the page is hidden, and at once when it is seen again.
 *
 * `runs` is null before the first answer; `run` the chosen one's RunInfo; `series` its log; `problem` why there is none:
 * "" or a sentence; `isOff` that the studio was started without a folder of runs.
 */
export class Feed {
  constructor(api, changed, page = document) {
    Object.assign(this, { api, changed, page });
    Object.assign(this, { runs: null, problem: "", isOff: false, timer: 0, wait: EVERY, asking: null });
    this.forget("");
    this.seen = () => (this.page.hidden ? this.pause() : this.ask());
  }

  start() {
    this.page.addEventListener("visibilitychange", this.seen);
    if (!this.page.hidden) this.ask();
  }

  stop() {
    this.page.removeEventListener("visibilitychange", this.seen);
    this.pause();
  }

  pause() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.asking = null;
  }

  /** Follow another run. */
  choose(id) {
    if (id === this.chosen) return;
    this.forget(id);
    this.changed();
    this.ask();
  }

  forget(id) {
    Object.assign(this, { chosen: id, series: new Series(), next: 0 });
  }

  get run() {
    return this.runs?.find((run) => run.id === this.chosen) ?? null;
  }

  /** Ask now, and then again. */
  async ask() {
    this.pause();
    const asking = new AbortController();
    this.asking = asking;
    let isNews = true;
    try {
      isNews = await this.round(asking.signal);
      Object.assign(this, { problem: "", isOff: false });
    } catch (error) {
      if (asking.signal.aborted) return;
      this.isOff = error.status === 404 && this.runs === null;
      this.problem = error.message;
      isNews = false;
    }
    if (asking.signal.aborted) return;
    this.wait = isNews ? EVERY : Math.min(SLOWEST, this.wait * 1.3);
    if (!this.isOff) this.timer = setTimeout(() => this.ask(), this.wait);
    this.changed();
  }

  /** Bring everything up to date; tell whether the chosen run has something new. */
  async round(signal) {
    const get = async (path) => (await this.api.call(path, { signal })).value;
    const runs = await get("runs");
    const before = this.run;
    this.runs = [...runs].sort((a, b) => (b.changed ?? 0) - (a.changed ?? 0));
    if (!this.run) this.forget(this.runs[0]?.id ?? "");
    if (!this.run) return false;
    const grown = await this.read(get);
    return grown || before?.snapshots.length !== this.run.snapshots.length;
  }

  /** Read what the log has gained. */
  async read(get) {
    const series = this.series;
    let isNews = false;
    for (;;) {
      const log = await get(`runs/${encodeURIComponent(this.chosen)}/log?after=${this.next}`);
      if (series !== this.series) return true;
      if (log.restarted) this.series.cut(-Infinity);
      this.series.take(log.lines);
      this.next = log.next;
      isNews ||= log.lines.length > 0;
      if (!log.more) return isNews;
      this.changed();
    }
  }
}

/**
 * How far a run is: `{seen, total, share, speed, spent, left, state}`; what is unknown is null. `state` is `done`, `training`,
 * `stopped` or `empty`; `now` is in seconds since 1970.
 */
export function progress(run, series, now = Date.now() / 1000) {
  const value = (name) => series.newest(name)?.value ?? null;
  const [seen, total] = [value("images_seen") ?? run.images_seen, run.total_images];
  const speed = recentSpeed(series);
  const share = seen !== null && total ? Math.min(1, seen / total) : null;
  const state = stateOf(run, seen, total, series, now);
  const left = state === "training" && speed && total ? Math.max(0, total - seen) / speed : null;
  return { seen, total, share, speed, spent: value("seconds"), left, state, quiet: run.changed ? now - run.changed : null };
}

function stateOf(run, seen, total, series, now) {
  if (seen === null) return "empty";
  if (total && seen >= total) return "done";
  const seconds = series.columns.get("seconds")?.y ?? [];
  const between = seconds.length > 1 ? seconds.at(-1) - seconds.at(-2) : 0;
  return run.changed && now - run.changed < Math.max(QUIET, MANY * between) ? "training" : "stopped";
}

/** Images a second, the mean of the newest few lines: one line alone is restless. */
function recentSpeed(series) {
  const speeds = (series.columns.get("images_per_second")?.y ?? []).slice(-5).filter((speed) => speed > 0);
  return speeds.length ? speeds.length / speeds.reduce((sum, speed) => sum + 1 / speed, 0) : null;
}
