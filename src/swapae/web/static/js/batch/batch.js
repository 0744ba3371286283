// The batch of one page: its photos, the look they get, their names. It goes on while other screens are open.

import { resultName } from "./names.js";
import { Queue } from "./queue.js";
import { hasLook, worker } from "./work.js";
import { zip } from "./zip.js";

const AT_ONCE = 2; // photos under way: the server's queue is for everybody
const MOST_BYTES = 2 ** 30; // of results that the page holds

/** A batch. `changed(item)` hears as of a Queue, `ended(counts)` when all photos are through. */
export class Batch {
  constructor(studio, { mostBytes = MOST_BYTES } = {}) {
    this.studio = studio;
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
    return this.recipe !== null && JSON.stringify(this.recipe) !== JSON.stringify(this.look);
  }

  get hasUnkept() {
    return this.items.some(({ result }) => result && !this.kept.has(result.blob));
  }

  /** Whether other screens use an image, so that the server must not forget it. */
  isKept(id) {
    const { images = [], recipe } = this.studio.state.get();
    const parts = [recipe, this.recipe].flatMap((one) => (one ? [...one.structures, ...one.textures] : []));
    return images.some((image) => image.id === id) || parts.some(({ image }) => image === id);
  }

  add(photos) {
    const named = photos.map(({ file, path }) => ({ file, path, name: resultName(path, this.taken) }));
    this.queue.add(named);
  }

  /** Apply the present look: to those that wait; where none do, to all again. */
  start() {
    if (!hasLook(this.look)) return;
    this.recipe = this.look;
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
    for (const item of this.items.filter(which)) this.taken.delete(item.name.toLowerCase());
    this.queue.remove(which);
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
    this.changed(item);
  }
}
