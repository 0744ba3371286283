/** Latest wins: of what is asked on a channel one is under way and at most one waits; a newer one takes its place. */

export class Superseded extends Error {
  constructor() {
    super("A newer request took the place of this one.");
    this.name = "Superseded";
  }
}

export class Channel {
  /** @param {(job: object, seq: number, signal: AbortSignal) => Promise<object>} send does one request. */
  constructor(send) {
    this.send = send;
    this.seq = 0;
    this.current = null;
    this.waiting = null;
  }

  /** Ask for a job. With `urgent`, one under way that is not urgent itself is given up for it. */
  ask(job, { urgent = false } = {}) {
    this.waiting?.reject(new Superseded());
    this.seq += 1;
    const entry = { job, urgent, seq: this.seq, control: new AbortController() };
    const answer = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
    this.waiting = entry;
    if (urgent && this.current && !this.current.urgent) this.current.control.abort();
    this.#next();
    return answer;
  }

  /** Give up all that was asked. */
  cancel() {
    this.waiting?.reject(new Superseded());
    this.waiting = null;
    this.current?.control.abort();
  }

  /** Whether a newer request waits for the one under way. */
  get isOvertaken() {
    return this.waiting !== null;
  }

  async #next() {
    if (this.current || !this.waiting) return;
    const entry = this.waiting;
    this.current = entry;
    this.waiting = null;
    try {
      entry.resolve(await this.send(entry.job, entry.seq, entry.control.signal));
    } catch (error) {
      entry.reject(error.name === "AbortError" ? new Superseded() : error);
    } finally {
      this.current = null;
      this.#next();
    }
  }
}
