// Where values lie in a chart, round values for its axes, and how numbers are written.

const NUM_TICKS = 4;

/** A scale from `[low, high]` to `[start, end]`, logarithmic if asked: `{at(value), ticks, low, high, isLog}`. */
export function scale(low, high, start, end, isLog = false) {
  const bend = isLog ? Math.log10 : (value) => value;
  const [from, to] = [bend(low), bend(high)];
  const at = (value) => start + ((bend(value) - from) / (to - from)) * (end - start);
  const back = (place) => {
    const bent = from + ((place - start) / (end - start)) * (to - from);
    return isLog ? 10 ** bent : bent;
  };
  return { at, back, low, high, isLog, ticks: isLog ? logTicks(low, high) : ticks(low, high) };
}

/** Fit a scale to values, with a little room; one value alone lies in the middle. Logarithmic only where all are above 0. */
export function fitted(values, start, end, isLog = false) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0, 1];
  if (isLog && low > 0) {
    const room = high / low > 1.001 ? (high / low) ** 0.05 : 2;
    return scale(low / room, high * room, start, end, true);
  }
  const isFlat = high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high));
  const room = isFlat ? 0.5 * Math.abs(high) || 0.5 : 0.05 * (high - low);
  return scale(low - room, high + room, start, end);
}

/** Round values within a range, a few. */
export function ticks(low, high, count = NUM_TICKS) {
  const step = roundStep((high - low) / count);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => tidy((first + i) * step));
}

/** The same for a logarithmic axis: powers of ten, or 1, 2, 5 times them where the range is small. */
export function logTicks(low, high, count = NUM_TICKS) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const inside = (values) => values.map(tidy).filter((value) => value >= low && value <= high);
  const fine = inside(powers.flatMap((power) => [1, 2, 5].map((factor) => factor * 10 ** power)));
  if (fine.length < 2) return ticks(low, high, 2).filter((value) => value > 0);
  if (fine.length <= 2 * count) return fine;
  const every = Math.max(1, Math.floor(powers.length / count));
  return inside(powers.filter((_, i) => i % every === 0).map((power) => 10 ** power));
}

/** Give the next of 1, 2, 5, 10, … times a power of ten, from `least` up. */
export function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return tidy([1, 2, 5, 10, 20].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9)));
}

function tidy(value) {
  return Number(value.toPrecision(12));
}

/** Write a number in a few characters: 0.25, 12k, 1.5M, 1e-5. */
export function short(value) {
  const size = Math.abs(value);
  if (size < 1e-12) return "0";
  for (const [from, unit, name] of [[1e9, 1e9, "G"], [1e6, 1e6, "M"], [1e4, 1e3, "k"]]) {
    if (size >= from && size < 1e12) return `${Number((value / unit).toPrecision(3))}${name}`;
  }
  return size >= 1e12 || size < 1e-3 ? value.toExponential(1).replace(".0e", "e").replace("e+", "e") : String(Number(value.toPrecision(4)));
}

/** Write a value to read off. */
export function exact(value) {
  const size = Math.abs(value);
  return size >= 1e6 || (size && size < 1e-3) ? value.toExponential(2) : Number(value.toPrecision(4)).toLocaleString("en");
}

/** Write seconds as `2 d 3 h`, `1 h 2 min`, `3 min` or `20 s`. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor((whole % 86400) / 3600), Math.floor((whole % 3600) / 60)];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min` : `${whole} s`;
}
