// The small pictures along directions: only of those rows that are in sight, one row at a time, when the picture itself
// waits for nothing.

import { stripKey } from "./recipe.js";

export const STRENGTHS = [-2, -1, 0, 1, 2];
const SIDE = 96; // pixels
const REST = 250; // ms without a change of the recipe, before they are asked for
const AGAIN = 2000; // ms after which what failed for a while is tried again

export class Strips {
  /** @param studio {api, state, live} */
  constructor({ api, state, live }) {
    Object.assign(this, { api, state, live });
    this.rows = new Map(); // name → {show(url, error), isSeen, key, url}
    this.timer = null;
    this.seq = 0;
    this.asking = null; // AbortController of the request under way
    this.ends = [
      state.subscribe((now, before) => now.recipe !== before.recipe && this.#later(REST)),
      live.subscribe((kind) => (kind === "work" ? this.asking?.abort() : this.#later(REST))),
    ];
  }

  /** Follow a row: `show(url, error)` gets its pictures side by side, or why there are none. */
  add(name, show) {
    this.rows.set(name, { show, isSeen: false, key: null, url: null });
  }

  remove(name) {
    this.#release(this.rows.get(name));
    this.rows.delete(name);
  }

  /** A row has come into sight or left it. */
  see(name, isSeen) {
    const row = this.rows.get(name);
    if (!row) return;
    row.isSeen = isSeen;
    if (isSeen) this.#later(0);
  }

  close() {
    for (const end of this.ends) end();
    clearTimeout(this.timer);
    this.asking?.abort();
    for (const row of this.rows.values()) this.#release(row);
    this.rows.clear();
  }

  #release(row) {
    if (row?.url) URL.revokeObjectURL(row.url);
  }

  #later(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#next(), delay);
  }

  /** Ask for the first row in sight whose pictures are not of this recipe. */
  async #next() {
    const { recipe } = this.state.get();
    if (!recipe || this.asking || this.live.isWorking) return; // whatever ends calls again
    const [name, row] = [...this.rows].find(([name, row]) => row.isSeen && row.key !== stripKey(recipe, name)) ?? [];
    if (!row) return;
    this.asking = new AbortController();
    let wait = 0;
    try {
      this.#show(row, stripKey(recipe, name), await this.#ask(recipe, name));
    } catch (error) {
      const isForNow = error.name === "AbortError" || error.code === "superseded" || error.code === "offline" || error.isTemporary;
      if (isForNow) wait = error.name === "AbortError" ? REST : AGAIN;
      else [row.key] = [stripKey(recipe, name), row.show(null, error.message)];
    }
    this.asking = null;
    if (this.rows.size) this.#later(wait);
  }

  async #ask(recipe, name) {
    this.seq += 1;
    const headers = { "X-Channel": "thumbs", "X-Seq": String(this.seq) };
    const json = { recipe, name, strengths: STRENGTHS, side: SIDE };
    return (await this.api.call("strip", { method: "POST", json, headers, signal: this.asking.signal, as: "blob" })).value;
  }

  #show(row, key, blob) {
    const before = row.url;
    Object.assign(row, { key, url: URL.createObjectURL(blob) });
    row.show(row.url, null);
    if (before) URL.revokeObjectURL(before);
  }
}
