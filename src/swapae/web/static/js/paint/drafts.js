// How what is being painted reaches the recipe: while a stroke goes on as drafts, one at a time, each waiting until the
// picture of the one before is there; when it ends, as a step of the history.

import { repainted } from "./recipe.js";

const LONGEST_WAIT = 1000; // ms for a picture, before the next draft

export class Drafts {
  /**
   * @param studio {state, live}
   * @param store of masks
   * @param onError called with what went wrong; the recipe then has the mask it had before.
   */
  constructor({ state, live }, store, onError) {
    Object.assign(this, { state, live, store, onError });
    this.stroke = null; // {at, before: the mask, once a draft took its place, latest, isSending}
    this.ending = Promise.resolve();
    this.numPending = 0; // masks that are painted, but are not in the recipe yet
  }

  get isPending() {
    return this.stroke !== null || this.numPending > 0;
  }

  /** A stroke begins on the layer `at`. */
  begin(at) {
    this.stroke = { at, before: null, latest: null, isSending: false };
  }

  /** The stroke goes on; the mask is now this one. */
  draw(raster) {
    if (!this.stroke) return;
    this.stroke.latest = raster;
    if (!this.stroke.isSending) this.#send(this.stroke);
  }

  async #send(stroke) {
    stroke.isSending = true;
    try {
      while (stroke === this.stroke && stroke.latest) {
        const raster = stroke.latest;
        stroke.latest = null;
        const id = await this.store.add(raster);
        await this.ending; // of the stroke before, whose mask would else come later than this one
        if (stroke !== this.stroke) return;
        stroke.before ??= this.#mask(stroke.at);
        const shown = this.#frame();
        this.#put(stroke.at, id);
        await shown;
      }
    } catch {
      // The end of the stroke says what is wrong.
    } finally {
      stroke.isSending = false;
    }
  }

  /** The mask of a layer is now this one, for good. Ends a stroke; gives a promise of whether it went well. */
  commit(at, raster, label, merge = null) {
    const before = this.stroke?.before ?? null;
    this.stroke = null;
    this.numPending += 1;
    this.ending = this.ending.then(async () => {
      try {
        this.#put(at, await this.store.add(raster), { undoable: label, merge });
        return true;
      } catch (error) {
        if (before) this.#put(at, before);
        this.onError(error);
        return false;
      } finally {
        this.numPending -= 1;
      }
    });
    return this.ending;
  }

  /** The stroke is given up; with `isUndone` the recipe has become another one already. */
  cancel({ isUndone = false } = {}) {
    const stroke = this.stroke;
    this.stroke = null;
    if (stroke?.before && !isUndone) this.#put(stroke.at, stroke.before);
  }

  #mask(at) {
    return this.state.get().recipe?.layers[at]?.mask ?? null;
  }

  #put(at, mask, how = {}) {
    const { recipe } = this.state.get();
    if (recipe?.layers[at]) this.state.set({ recipe: repainted(recipe, at, mask) }, { from: "paint", ...how });
  }

  /** Wait for the next picture. */
  #frame() {
    return new Promise((resolve) => {
      const timer = setTimeout(end, LONGEST_WAIT);
      const unsubscribe = this.live.subscribe((kind) => kind !== "work" && end());
      function end() {
        clearTimeout(timer);
        unsubscribe();
        resolve();
      }
    });
  }
}
