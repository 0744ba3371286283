/**
 * What the page knows: one plain object {model, gallery, images, recipe, screen, …}, replaced and never changed in
 * place. The recipe is the document: screens edit it, the renderer shows it, the history keeps it.
 */

export function createState(initial) {
  const listeners = new Set();
  let now = Object.freeze({ ...initial });

  return {
    get: () => now,

    /**
     * Change some of it.
     * @param {object|((now: object) => object)} change the fields that become others.
     * @param {{undoable?: string|false, merge?: string, from?: string}} how a label makes a change of the recipe a
     *   step of the history; steps of one `merge` key that follow each other quickly become one.
     */
    set(change, { undoable = false, merge = null, from = null } = {}) {
      const before = now;
      now = Object.freeze({ ...before, ...(typeof change === "function" ? change(before) : change) });
      for (const listener of [...listeners]) listener(now, before, { undoable, merge, from });
    },

    /** Call `listener(now, before, how)` after every change; gives back a function that ends it. */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
