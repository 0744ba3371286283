// Strokes: what a tool makes of a mask while it is drawn. Points are in pixels of the image; only when the mask is
// asked for is it rastered, so that many moves between two frames cost as much as one.

import { boxed, brushed, copied, filled } from "./raster.js";

export const MOST_BRUSH = 512; // pixels

/** A stroke of any tool on a mask, which stays as it is. */
class Stroke {
  /**
   * @param base the mask before.
   * @param start where it begins.
   * @param options {isErasing, diameter, before}: `before`, of the brush, is where the last stroke ended, to which a
   *   straight one is joined.
   */
  constructor(base, start, options) {
    Object.assign(this, { base, start, end: start, isErasing: false, diameter: 1, before: null, ...options });
    this.isStraight = false;
  }

  /** Go on to a point; `isStraight` is what Shift asks for, `diameter` what a pen's pressure makes of the brush. */
  move(point, { isStraight = false } = {}) {
    this.end = point;
    this.isStraight = isStraight;
  }

  /** Give the mask as it is if the stroke ends now. */
  raster() {
    return this.drawn(copied(this.base));
  }

  /** Give the line to show around it, as points, or none. */
  outline() {
    return [];
  }
}

class Brush extends Stroke {
  constructor(base, start, options) {
    super(base, start, options);
    this.segments = [[start, start, this.diameter]];
    this.done = { raster: copied(base), segments: 0 };
  }

  move(point, { isStraight = false, diameter = this.diameter } = {}) {
    if (!isStraight) this.segments.push([this.end, point, diameter]);
    super.move(point, { isStraight });
  }

  raster() {
    if (this.isStraight) return brushed(copied(this.base), this.before ?? this.start, this.end, this.diameter, this.isErasing);
    for (const [from, to, diameter] of this.segments.slice(this.done.segments)) {
      brushed(this.done.raster, from, to, diameter, this.isErasing);
    }
    this.done.segments = this.segments.length;
    return copied(this.done.raster);
  }
}

class Rectangle extends Stroke {
  corner() {
    const [dx, dy] = [this.end[0] - this.start[0], this.end[1] - this.start[1]];
    if (!this.isStraight) return this.end;
    const side = Math.max(Math.abs(dx), Math.abs(dy)); // a square
    return [this.start[0] + side * (dx < 0 ? -1 : 1), this.start[1] + side * (dy < 0 ? -1 : 1)];
  }

  drawn(raster) {
    return boxed(raster, this.start, this.corner(), this.isErasing);
  }

  outline() {
    const [[left, top], [right, bottom]] = [this.start, this.corner()];
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]];
  }
}

class Lasso extends Stroke {
  constructor(base, start, options) {
    super(base, start, options);
    this.points = [start];
  }

  move(point, { isStraight = false } = {}) {
    if (isStraight && this.isStraight) this.points.pop(); // the end of a straight part moves along
    this.points.push(point);
    super.move(point, { isStraight });
  }

  drawn(raster) {
    return filled(raster, this.points, this.isErasing);
  }

  outline() {
    return this.points;
  }
}

const KINDS = { brush: Brush, eraser: Brush, rectangle: Rectangle, lasso: Lasso };

/** Begin a stroke of a tool: brush, eraser, rectangle or lasso. */
export function begun(tool, base, start, options = {}) {
  return new KINDS[tool](base, start, { ...options, isErasing: tool === "eraser" || Boolean(options.isErasing) });
}

/** Make a brush larger or smaller by a step: of 1 pixel, or of a tenth where that is more. */
export function resizedBrush(diameter, steps) {
  const step = Math.max(1, Math.floor(diameter / 10));
  return Math.min(MOST_BRUSH, Math.max(1, diameter + steps * step));
}

/** Tell how wide a pen paints by its pressure; a mouse and a finger have none. */
export function pressed(diameter, event) {
  return event.pointerType === "pen" && event.pressure > 0 ? diameter * (0.25 + 0.75 * event.pressure) : diameter;
}
