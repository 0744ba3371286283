/**
 * Undo and redo: at most 50 steps and a bounded number of bytes, the oldest going first. A step is a recipe and a
 * label; its small picture comes when the renderer has it.
 */

export const STEPS = 50;
export const BYTES = 8 * 2 ** 20;
const GESTURE = 1500; // ms within which steps of one merge key are one; while the hand holds on, however long it takes

export function createHistory(state, { now = () => performance.now(), isHeld = holding() } = {}) {
  const listeners = new Set();
  const entries = [];
  let at = -1;
  let open = null; // {merge, time} of the last step, while it may still grow

  state.subscribe((current, before, { undoable, merge, from }) => {
    if (from === "history" || current.recipe === before.recipe || !current.recipe) return;
    if (undoable || !entries.length) record(current.recipe, undoable || "Opened", merge);
  });

  function record(recipe, label, merge) {
    const written = JSON.stringify(recipe);
    if (at >= 0 && entries[at].written === written) return;
    const grows = merge && open && open.merge === merge && (isHeld() || now() - open.time < GESTURE) && at === entries.length - 1;
    const entry = { recipe, written, label, picture: null, url: null, bytes: 2 * written.length };
    drop(entries.splice(grows ? at : at + 1));
    entries.push(entry);
    at = entries.length - 1;
    open = merge ? { merge, time: now() } : null;
    trim();
    tell();
  }

  function trim() {
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    while (at > 0 && (entries.length > STEPS + 1 || bytes > BYTES)) {
      bytes -= entries[0].bytes;
      drop(entries.splice(0, 1));
      at -= 1;
    }
  }

  function drop(gone) {
    for (const entry of gone) if (entry.url) URL.revokeObjectURL(entry.url);
  }

  function go(to) {
    if (to < 0 || to >= entries.length || to === at) return false;
    at = to;
    open = null;
    state.set({ recipe: entries[at].recipe }, { from: "history" });
    tell();
    return true;
  }

  function tell() {
    for (const listener of [...listeners]) listener();
  }

  return {
    get entries() {
      return entries;
    },
    get at() {
      return at;
    },
    get canUndo() {
      return at > 0;
    },
    get canRedo() {
      return at < entries.length - 1;
    },
    get bytes() {
      return entries.reduce((sum, entry) => sum + entry.bytes, 0);
    },
    /** Go a step back; gives the label of the step undone, or null. */
    undo() {
      const label = entries[at]?.label;
      return go(at - 1) ? label : null;
    },
    redo: () => (go(at + 1) ? entries[at].label : null),
    jump: go,
    /** The gesture ended: the next change is a step of its own. */
    seal() {
      open = null;
    },
    /** Give the small picture of a recipe. */
    picture(recipe, blob) {
      const written = JSON.stringify(recipe);
      const entry = entries.findLast((candidate) => candidate.written === written);
      if (!entry) return;
      drop([entry]);
      Object.assign(entry, { picture: blob, url: URL.createObjectURL(blob), bytes: 2 * written.length + blob.size });
      trim();
      tell();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Gives what tells whether a button or finger is down. */
function holding() {
  let is = false;
  for (const name of ["pointerdown", "pointerup", "pointercancel"]) addEventListener(name, () => (is = name === "pointerdown"), { capture: true });
  return () => is;
}
