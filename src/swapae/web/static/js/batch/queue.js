// The photos of a batch and how far each is. Knows no page and no server: `work` does what is to be done with one.

export const STATES = ["waiting", "sending", "rendering", "done", "failed", "stopped"];
const ENDED = new Set(["done", "failed", "stopped"]);

/** An error after which the photo is tried again by itself, `seconds` later: the server is full, or away. */
export class Later extends Error {
  constructor(seconds, reason) {
    super(reason);
    this.seconds = seconds;
  }
}

/**
 * A queue of photos.
 *
 * `work(item, {signal, enter})` gives a promise of `{blob, …}`; it calls `enter(state)` on its way, rejects with `Later`
 * to be asked again, and with any other error, whose message is a sentence, to give this photo up.
 * `changed(item)` hears of each change; of null where it is the whole queue's.
 */
export class Queue {
  constructor(work, { limit = 2, mostBytes = 2 ** 30, changed = () => {} } = {}) {
    Object.assign(this, { work, limit, mostBytes, changed });
    this.items = [];
    this.isPaused = false;
    this.pausedFor = ""; // why it waits by itself, in words
    this.number = 0;
    this.timer = 0;
  }

  /** Add photos, `{file, …}`; what else they hold is the caller's. */
  add(photos) {
    for (const photo of photos) {
      this.items.push({ ...photo, id: ++this.number, state: "waiting", error: "", result: null, abort: null });
    }
    this.changed(null);
    this.go();
  }

  /** Take up photos of an earlier queue, as they were there. */
  restore(photos) {
    for (const { state = "waiting", error = "", result = null, ...photo } of photos) {
      this.items.push({ ...photo, state, error, result, abort: null });
      this.number = Math.max(this.number, photo.id);
    }
    this.changed(null);
  }

  /** Count the photos by state. */
  counts() {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const item of this.items) counts[item.state]++;
    return { ...counts, working: counts.sending + counts.rendering, all: this.items.length };
  }

  /** How many bytes of results the page holds. */
  get bytes() {
    return this.items.reduce((sum, item) => sum + (item.result?.blob.size ?? 0), 0);
  }

  get isFull() {
    return this.bytes >= this.mostBytes;
  }

  get isBusy() {
    return this.items.some((item) => !ENDED.has(item.state));
  }

  /** Begin no further photo; those under way are finished. */
  pause() {
    this.isPaused = true;
    this.changed(null);
  }

  resume() {
    this.isPaused = false;
    this.changed(null);
    this.go();
  }

  /** Stop everything that is not done. */
  cancel() {
    this.wake();
    for (const item of this.items) {
      if (ENDED.has(item.state)) continue;
      item.abort?.abort();
      this.enter(item, "stopped");
    }
    this.changed(null);
  }

  /** Try those again that failed or were stopped. */
  retry(which = (item) => item.state === "failed" || item.state === "stopped") {
    for (const item of this.items.filter(which)) this.enter(item, "waiting");
    this.changed(null);
    this.go();
  }

  /** Forget photos, and their results. */
  remove(which) {
    for (const item of this.items.filter(which)) item.abort?.abort();
    this.items = this.items.filter((item) => !which(item));
    this.changed(null);
    this.go();
  }

  /** Begin as many photos as may be under way at once. */
  go() {
    if (this.isPaused || this.timer) return;
    let free = this.limit - this.items.filter((item) => item.abort).length;
    for (const item of this.items) {
      if (free <= 0 || this.isFull) break;
      if (item.state !== "waiting" || item.abort) continue;
      free--;
      this.take(item);
    }
  }

  async take(item) {
    const abort = new AbortController();
    item.abort = abort;
    const enter = (state) => abort.signal.aborted || this.enter(item, state);
    enter("sending");
    try {
      const result = await this.work(item, { signal: abort.signal, enter });
      if (!abort.signal.aborted) this.enter(item, "done", { result });
    } catch (error) {
      if (!abort.signal.aborted) this.failed(item, error);
    } finally {
      if (item.abort === abort) item.abort = null;
    }
    this.go();
  }

  failed(item, error) {
    if (!(error instanceof Later)) return this.enter(item, "failed", { error: error.message });
    this.enter(item, "waiting");
    this.sleep(error.seconds, error.message);
  }

  enter(item, state, { error = "", result = null } = {}) {
    Object.assign(item, { state, error, result });
    this.changed(item);
  }

  /** Begin nothing for a while. */
  sleep(seconds, reason) {
    clearTimeout(this.timer);
    this.pausedFor = reason;
    this.timer = setTimeout(() => {
      this.wake();
      this.changed(null);
      this.go();
    }, 1000 * seconds);
    this.changed(null);
  }

  wake() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.pausedFor = "";
  }
}
