/**
 * All that crosses HTTP. A refusal becomes an ApiError with the server's one sentence; no answer at all becomes an
 * Offline, after which the page asks /readyz until the server is back.
 */

import { Channel, Superseded } from "./channel.js";
import { ApiError, Offline } from "./refusals.js";

export { ApiError, Offline, Superseded };

const BASE = "/api/v1";
const PATIENCE = 3; // attempts at what is not live, while the server is busy
const LONGEST_WAIT = 10; // seconds

/** Make the client of one page. */
export function createApi() {
  const session = newSession();
  const channels = new Map();
  const watch = createWatch();

  /** One request, one answer; the lowest level, which other screens may use too. */
  async function call(path, { method = "GET", json, body, headers = {}, signal, as = "json" } = {}) {
    const request = { method, headers: { Accept: "*/*", "X-Session": session, ...headers }, signal, cache: "no-store" };
    if (json !== undefined) {
      request.body = JSON.stringify(json);
      request.headers["Content-Type"] = "application/json";
    } else if (body !== undefined) {
      request.body = body;
      request.headers["Content-Type"] = "application/octet-stream";
    }
    let answer;
    try {
      answer = await fetch(path.startsWith("/") ? path : `${BASE}/${path}`, request);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      watch.lost("offline");
      throw new Offline();
    }
    if (!answer.ok) throw await refused(answer, watch);
    watch.answered();
    return { answer, value: await read(answer, as) };
  }

  /** The same, again after a while where the server is busy or loading. */
  async function patient(path, options) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call(path, options);
      } catch (error) {
        if (!error.isTemporary || attempt >= PATIENCE) throw error;
        await pause(error.retryAfter ?? attempt, options?.signal);
      }
    }
  }

  const value = async (path, options) => (await patient(path, options)).value;

  async function frame({ recipe, side, quality, format, name }, seq, signal) {
    const headers = { "X-Channel": name, "X-Seq": String(seq) };
    const json = { recipe, side: side ?? null, quality, format };
    for (;;) {
      const since = performance.now();
      try {
        const { answer, value: blob } = await call("render", { method: "POST", json, headers, signal, as: "blob" });
        const number = (header) => Number(answer.headers.get(header));
        const [width, height, seconds] = ["X-Width", "X-Height", "X-Seconds"].map(number);
        const isFull = answer.headers.get("X-Full") !== "0";
        return { blob, seq, quality, isFull, width, height, seconds, elapsed: performance.now() - since };
      } catch (error) {
        if (error.code === "superseded") throw new Superseded();
        if (!error.isTemporary) throw error;
        await pause(error.retryAfter ?? 1, signal);
        if (channels.get(name).isOvertaken) throw new Superseded();
      }
    }
  }

  return {
    session,
    call,
    /** @returns {"ready"|"busy"|"loading"|"offline"|"locked"} */
    get status() {
      return watch.status;
    },
    onStatus: watch.subscribe,
    get: (path, options) => value(path, options),
    post: (path, json, options) => value(path, { ...options, method: "POST", json }),
    send: (path, body, options) => value(path, { ...options, method: "POST", body }),
    remove: (path) => value(path, { method: "DELETE", as: "nothing" }),

    /** Show the server its token; it is kept in a cookie that no script can read. */
    async unlock(token) {
      await value("session", { method: "POST", json: {}, headers: { Authorization: `Bearer ${token}` }, as: "nothing" });
      watch.answered();
    },
    model: () => value("model"),
    gallery: () => value("gallery"),
    /** @param {Blob} photo @returns {Promise<object>} ImageInfo */
    addImage: (photo) => value("images", { method: "POST", body: photo }),
    forgetImage: (id) => value(`images/${encodeURIComponent(id)}`, { method: "DELETE", as: "nothing" }),
    thumbnailUrl: (id) => `${BASE}/images/${encodeURIComponent(id)}/thumbnail`,
    mask: (id) => value(`masks/${encodeURIComponent(id)}`, { as: "blob" }),
    addMask: (png) => value("masks", { method: "POST", body: png }),
    /** A mask by one click: {image, x, y, threshold, connected} → {id, blob}. */
    async clickMask(request) {
      const { answer, value: blob } = await patient("masks/click", { method: "POST", json: request, as: "blob" });
      return { id: answer.headers.get("X-Mask-Id"), blob };
    },
    /**
     * Render a recipe; of one channel the latest wins.
     * @returns {Promise<{blob: Blob, width, height, seconds, elapsed, seq, isFull}>} elapsed: ms of the request; isFull:
     *   not a smaller picture, which "fast" may be answered with where the full one takes long; rejects with Superseded when a newer request took its place.
     */
    render(recipe, { side = null, quality = "full", format = "webp", channel = "main", urgent = false } = {}) {
      if (!channels.has(channel)) channels.set(channel, new Channel(frame));
      return channels.get(channel).ask({ recipe, side, quality, format, name: channel }, { urgent });
    },
    /** Give up what a channel still waits for. */
    cancel: (channel) => channels.get(channel)?.cancel(),
    /** A PNG that carries its recipe → {blob, name}. */
    async save(recipe, side = null) {
      const { answer, value: blob } = await patient("save", { method: "POST", json: { recipe, side }, as: "blob" });
      return { blob, name: fileName(answer.headers.get("Content-Disposition")) ?? "swapae.png" };
    },
    /** One direction of a recipe at several strengths: {recipe, name, strengths, side} → one picture, side by side. */
    strip: (request) => value("strip", { method: "POST", json: request, as: "blob" }),
    openRecipe: (png) => value("recipes", { method: "POST", body: png }),
    directions: () => value("directions"),
    makeDirection: (request) => value("directions", { method: "POST", json: request }),
    forgetDirection: (name) => value(`directions/${encodeURIComponent(name)}`, { method: "DELETE", as: "nothing" }),
    /** @param {Blob} file of safetensors → [DirectionInfo] */
    loadDirections: (file) => value("directions/file", { method: "POST", body: file }),
    directionFile: (name) => value(`directions/${encodeURIComponent(name)}/file`, { as: "blob" }),
  };
}

/** Follows whether the server answers, and asks it when it did not. */
function createWatch() {
  const listeners = new Set();
  let status = "ready";
  let timer = null;

  function become(next) {
    if (next === status) return;
    const before = status;
    status = next;
    for (const listener of listeners) listener(status, before);
  }

  async function ask(delay) {
    timer = null;
    try {
      const answer = await fetch("/readyz", { cache: "no-store" });
      if (answer.ok) return become("ready");
      become("loading");
    } catch {
      become("offline");
    }
    schedule(Math.min(5000, delay * 1.5));
  }

  function schedule(delay) {
    timer ??= setTimeout(() => ask(delay), delay);
  }

  globalThis.addEventListener?.("online", () => status === "offline" && schedule(0));
  return {
    get status() {
      return status;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    lost(why) {
      become(why);
      if (why !== "locked") schedule(1000);
    },
    busy: () => status === "ready" && become("busy"),
    answered: () => become("ready"),
  };
}

async function refused(answer, watch) {
  const told = await answer.json().catch(() => ({}));
  const wait = Number.parseFloat(answer.headers.get("Retry-After") ?? "");
  const error = new ApiError(String(told.error ?? `The studio refused the request (${answer.status}).`), {
    status: answer.status,
    code: String(told.code ?? `http-${answer.status}`),
    retryAfter: Number.isFinite(wait) ? wait : null,
  });
  if (answer.status === 401) watch.lost("locked");
  else if (answer.status === 503) watch.lost("loading");
  else if (answer.status === 429) watch.busy();
  return error;
}

async function read(answer, as) {
  if (as === "nothing" || answer.status === 204) return null;
  return as === "blob" ? answer.blob() : as === "text" ? answer.text() : answer.json();
}

function pause(seconds, signal) {
  const length = 1000 * Math.min(LONGEST_WAIT, Math.max(0.1, seconds));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, length);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("Given up.", "AbortError"));
    });
  });
}

function fileName(disposition) {
  const name = /filename="([^"/\\]+)"/.exec(disposition ?? "")?.[1];
  return name ?? null;
}

/** A random UUID, also where the page is not in a secure context and `crypto.randomUUID` is missing. */
function newSession() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
