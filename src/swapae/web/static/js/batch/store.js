// What is left of a batch when its page is loaded anew: kept in the browser's own database, one batch for each tab.

const NAME = "swapae-batch";
const TAB = "swapae.batch"; // in the tab's own storage, which outlives a reload and nothing else
const DAY = 24 * 3600 * 1000; // ms after which what a closed tab left goes

/**
 * The store of a tab's batch. Photos are written once, their states as they end, the whole's facts when they change.
 * Where the browser keeps nothing (a private window, a full disk) `isWhole` is false, and the batch lives without it.
 */
export class Store {
  constructor(database, id) {
    Object.assign(this, { database, id, isWhole: database !== null, pending: 0 });
  }

  /** Open the store of this tab. */
  static async open() {
    try {
      const id = sessionStorage.getItem(TAB) ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
      sessionStorage.setItem(TAB, id);
      const store = new Store(await opened(), id);
      await store.sweep();
      return store;
    } catch {
      return new Store(null, "");
    }
  }

  /** Whether a tab may have left a batch: without asking the database. */
  static get isLikely() {
    try {
      return sessionStorage.getItem(TAB) !== null;
    } catch {
      return false;
    }
  }

  /** Read `{facts, photos}`; facts are null where nothing was kept. */
  async read() {
    if (!this.isWhole) return { facts: null, photos: [] };
    try {
      const reading = this.database.transaction(["facts", "photos", "states"]);
      const [facts, photos, states] = await Promise.all([
        answered(reading.objectStore("facts").get(this.id)),
        answered(reading.objectStore("photos").getAll(this.all)),
        answered(reading.objectStore("states").getAll(this.all)),
      ]);
      const state = new Map(states.map((one) => [one.id, one]));
      return { facts: facts ?? null, photos: photos.map((photo) => ({ ...photo, ...state.get(photo.id) })) };
    } catch {
      this.isWhole = false;
      return { facts: null, photos: [] };
    }
  }

  get all() {
    return IDBKeyRange.bound([this.id, 0], [this.id, Infinity]);
  }

  /** Keep what belongs to all: the look, whether it goes on. */
  facts(facts) {
    return this.write(["facts"], (all) => all.put({ ...facts, batch: this.id, time: Date.now() }));
  }

  add(items) {
    return this.write(["photos"], (photos) => {
      for (const { id, file, path, name } of items) photos.put({ batch: this.id, id, file, path, name });
    });
  }

  /** Keep how a photo ended, or that it waits again. */
  state({ id, state, error, result }) {
    return this.write(["states"], (states) => states.put({ batch: this.id, id, state, error, result }));
  }

  remove(items) {
    return this.write(["photos", "states"], (photos, states) => {
      for (const { id } of items) [photos, states].forEach((store) => store.delete([this.id, id]));
    });
  }

  /** Take away what tabs left that were closed a day ago. */
  sweep() {
    return this.write(["facts", "photos", "states"], async (facts, ...others) => {
      for (const { batch, time } of await answered(facts.getAll())) {
        if (batch === this.id || Date.now() - time < DAY) continue;
        facts.delete(batch);
        for (const store of others) store.delete(IDBKeyRange.bound([batch, 0], [batch, Infinity]));
      }
    });
  }

  async write(names, change) {
    if (!this.isWhole) return;
    this.pending += 1;
    try {
      const writing = this.database.transaction(names, "readwrite");
      const end = ended(writing);
      await Promise.all([end, change(...names.map((name) => writing.objectStore(name)))]);
    } catch {
      this.isWhole = false; // what is there already stays as it is
    } finally {
      this.pending -= 1;
    }
  }
}

function opened() {
  const asked = indexedDB.open(NAME, 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("facts", { keyPath: "batch" });
    for (const name of ["photos", "states"]) asked.result.createObjectStore(name, { keyPath: ["batch", "id"] });
  };
  return answered(asked);
}

function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("The database is in use."));
  });
}

function ended(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}
