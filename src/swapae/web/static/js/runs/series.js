// The log of a training by columns: lines come in, curves of few points go out.

const HUGE = 1e30; // what lies beyond is kept as this: sums of it are numbers yet

/** Columns of a log: for each name the images seen of the lines that have it, and its values in them. */
export class Series {
  constructor() {
    this.columns = new Map();
    this.last = {};
  }

  /**
   * Take lines in, in order. What is no finite number is left out; a line without `images_seen` says nothing. One that
   * goes back in time says that the run went on from a checkpoint: what came after that is forgotten.
   */
  take(lines) {
    for (const line of lines) {
      const seen = number(line?.images_seen);
      if (seen === null) continue;
      if (seen < (this.last.images_seen ?? 0)) this.cut(seen);
      this.last = {};
      for (const [name, value] of Object.entries(line)) this.put(name, seen, number(value));
    }
  }

  put(name, seen, value) {
    if (value === null) return;
    if (!this.columns.has(name)) this.columns.set(name, { x: [], y: [] });
    const { x, y } = this.columns.get(name);
    x.push(seen);
    y.push(Math.min(HUGE, Math.max(-HUGE, value)));
    this.last[name] = value;
  }

  /** Forget everything from the moment `seen` on. */
  cut(seen) {
    for (const [name, { x, y }] of this.columns) {
      const count = x.findIndex((one) => one >= seen);
      if (count >= 0) x.length = y.length = count;
      if (!x.length) this.columns.delete(name);
    }
  }

  get names() {
    return [...this.columns.keys()];
  }

  /** The newest value of a column: `{seen, value}`, or null. */
  newest(name) {
    const column = this.columns.get(name);
    return column ? { seen: column.x.at(-1), value: column.y.at(-1) } : null;
  }
}

function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/**
 * Smooth values: each is the mean of itself and those before it, whose weight falls by `amount` (0 to below 1) each step.
 * The first ones are means of the few there are, not pulled towards anything.
 */
export function smoothed(y, amount) {
  if (!(amount > 0)) return y;
  let [sum, weight] = [0, 0];
  return y.map((value) => {
    sum = amount * sum + (1 - amount) * value;
    weight = amount * weight + (1 - amount);
    return sum / weight;
  });
}

/**
 * Bring a curve to at most `most` points, each the mean of neighbours, and with it the least of `low` and the most of `high`:
 * the values before they were smoothed, or the ends of their intervals.
 */
export function thinned(x, y, most, low = y, high = y) {
  const count = Math.min(most, x.length);
  const curve = { x: [], y: [], low: [], high: [] };
  for (let i = 0; i < count; i++) {
    const [from, to] = [Math.floor((i * x.length) / count), Math.floor(((i + 1) * x.length) / count)];
    let [xs, ys, least, greatest] = [0, 0, Infinity, -Infinity];
    for (let at = from; at < to; at++) {
      xs += x[at];
      ys += y[at];
      least = Math.min(least, low[at]);
      greatest = Math.max(greatest, high[at]);
    }
    curve.x.push(xs / (to - from));
    curve.y.push(ys / (to - from));
    curve.low.push(least);
    curve.high.push(greatest);
  }
  return curve;
}

/** Find the place in rising `x` that is nearest to `wanted`; -1 where there is none. */
export function nearest(x, wanted) {
  if (!x.length) return -1;
  let [low, high] = [0, x.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] > wanted) high = middle;
    else low = middle;
  }
  return wanted - x[low] < x[high] - wanted ? low : high;
}
