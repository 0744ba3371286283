/** How long decoding takes, by the number of places: the least time of late frames; the first of a size says nothing. */

const LATE = 5;
const SLOW = 0.15; // seconds; where a frame takes longer, a smaller one comes first
const QUICK = 0.1; // seconds that the smaller one may take
const SMALLEST = 0.25; // of a side
const FEWEST = 8; // places of a side

export class Pace {
  #late = new Map();

  take(places, seconds) {
    const late = this.#late.get(places);
    this.#late.set(places, late ? [...late, seconds].slice(-LATE) : []);
  }

  estimate(places) {
    const known = [...this.#late].filter(([, late]) => late.length);
    if (!known.length) return 0;
    const [nearest, late] = known.sort(([a], [b]) => Math.abs(Math.log(a / places)) - Math.abs(Math.log(b / places)))[0];
    return (Math.min(...late) * places) / nearest;
  }

  /** At what part of its size a frame of [h, w] places is drawn quickly; 1 where all of it is quick enough. */
  scale([height, width]) {
    const seconds = this.estimate(height * width);
    if (seconds <= SLOW) return 1;
    return Math.min(1, Math.max(Math.sqrt(QUICK / seconds), SMALLEST, FEWEST / Math.min(height, width)));
  }
}
