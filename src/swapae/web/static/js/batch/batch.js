// The batch of one page: its photos, the look they get, their names. It goes on while other screens are open.

import { resultName } from "./names.js";
import { Queue } from "./queue.js";
import { hasLook, recipeFor, worker } from "./work.js";
import { zip } from "./zip.js";

const AT_ONCE = 2; // photos under way: the server's queue is for everybody
const MOST_BYTES = 2 ** 30; // of results that the page holds

/** A batch. `changed(item)` hears as of a Queue, `ended(counts)` when all photos are through. */
export class Batch {
  constructor(studio, { mostBytes = MOST_BYTES, store = null } = {}) {
    Object.assign(this, { studio, store, facts: "" });
    this.recipe = null; // of this look: what is applied, as it was when the batch was started
    this.taken = new Set();
    this.kept = new WeakSet(); // results that were downloaded
    this.changed = () => {};
    this.ended = () => {};
    const work = worker(studio.api, () => this.recipe, (id) => this.isKept(id));
    this.queue = new Queue(work, { limit: AT_ONCE, mostBytes, changed: (item) => this.hear(item) });
    this.queue.isPaused = true;
    this.wasActive = false;
  }

  get items() {
    return this.queue.items;
  }

  /** The look that there is now. */
  get look() {
    return this.studio.state.get().recipe;
  }

  get isRunning() {
    return !this.queue.isPaused && this.queue.isBusy;
  }

  /** Whether results were made with another look than the present one. */
  get isOutdated() {
    return this.recipe !== null && lookOf(this.recipe) !== lookOf(this.look);
  }

  /** Whether there is nothing to start: no photo waits, and all have the present look. */
  get isThrough() {
    return !this.isRunning && !this.queue.counts().waiting && !this.isOutdated;
  }

  get hasUnkept() {
    return this.items.some(({ result }) => result && !this.kept.has(result.blob));
  }

  /** Whether closing the page loses something: loading it anew does not, but the browser does not say which it is. */
  get isFragile() {
    return this.hasUnkept || this.isRunning || this.store?.pending > 0;
  }

  /** Take up what the store kept of the page before, and go on if it went on then. */
  async restore() {
    const { facts, photos } = (await this.store?.read()) ?? {};
    if (!facts || !photos.length) return;
    for (const { name } of photos) this.taken.add(name.toLowerCase());
    this.recipe = facts.recipe;
    if (this.recipe) await this.wear(facts);
    this.queue.restore(photos);
    if (facts.isRunning && this.queue.isBusy) this.goOn();
  }

  /** Give the page the look of the batch again, with the photos it takes textures from. */
  async wear({ recipe, sources }) {
    const { photos, state } = this.studio;
    for (const file of sources) await photos.add(file).catch(() => {}); // those that are still there keep their ids
    const own = state.get().recipe;
    if (own) state.set({ recipe: recipeFor(recipe, own.structures[0].image) }, { undoable: "The look of the batch" });
  }

  /** Whether other screens use an image, so that the server must not forget it. */
  isKept(id) {
    const { images = [], recipe } = this.studio.state.get();
    const parts = [recipe, this.recipe].flatMap((one) => (one ? [...one.structures, ...one.textures] : []));
    return images.some((image) => image.id === id) || parts.some(({ image }) => image === id);
  }

  add(photos) {
    const named = photos.map(({ file, path }) => ({ file, path, name: resultName(path, this.taken) }));
    const before = this.items.length;
    this.queue.add(named);
    this.store?.add(this.items.slice(before));
  }

  /** Apply the present look: to those that wait; where none do, to all again. */
  start() {
    if (!hasLook(this.look)) return;
    this.recipe = this.look;
    this.goOn();
  }

  goOn() {
    const { waiting, working } = this.queue.counts();
    this.queue.isPaused = false;
    if (waiting || working) this.queue.resume();
    else this.queue.retry(() => true);
  }

  pause() {
    this.queue.pause();
  }

  cancel() {
    this.queue.cancel();
  }

  /** Try again what failed or was stopped. */
  retry(which) {
    if (!hasLook(this.look)) return;
    this.recipe ??= this.look;
    this.queue.isPaused = false;
    this.queue.retry(which);
  }

  remove(which) {
    const gone = this.items.filter(which);
    for (const item of gone) this.taken.delete(item.name.toLowerCase());
    this.queue.remove(which);
    this.store?.remove(gone);
  }

  /** Make a zip of all results. */
  async packed(told) {
    const done = this.items.filter(({ result }) => result);
    const whole = await zip(done.map(({ name, result }) => ({ name, blob: result.blob })), told);
    done.forEach(({ result }) => this.kept.add(result.blob));
    return whole;
  }

  hear(item) {
    if (this.wasActive && !this.queue.isBusy) {
      this.queue.isPaused = true; // those that are added later wait for a word
      this.ended(this.queue.counts());
    }
    this.wasActive = this.isRunning || this.queue.counts().working > 0;
    this.keep(item);
    this.changed(item);
  }

  /** Keep what changed: a photo that ended or waits again, and the look where it is another. */
  keep(item) {
    if (item && !["sending", "rendering"].includes(item.state)) this.store?.state(item);
    const facts = { recipe: this.recipe, isRunning: this.isRunning };
    if (this.facts === JSON.stringify(facts) || !this.items.length) return;
    this.facts = JSON.stringify(facts);
    this.store?.facts({ ...facts, sources: this.sources() });
  }

  /** The photos of one's own that the look takes its textures from. */
  sources() {
    const { images = [] } = this.studio.state.get();
    const wanted = new Set((this.recipe?.textures ?? []).map(({ image }) => image));
    return images.filter(({ id, blob }) => blob && wanted.has(id)).map(({ blob, title }) => new File([blob], `${title}.file`, { type: blob.type }));
  }
}

/** What of a recipe the photos get, to be compared. */
function lookOf(recipe) {
  return recipe && JSON.stringify(recipeFor(recipe, ""));
}
