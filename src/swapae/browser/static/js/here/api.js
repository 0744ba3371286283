/** What the studio asks its server, answered on this machine: the same questions, for frame, live picture and photos. */

import { Channel } from "../channel.js";
import { words } from "./words.js";

/**
 * @param {{ask: (what: string, given?: object) => Promise<any>}} engine
 * @param {object} page what page.json says; @param {URL} base of the page's files.
 * @param {(sentence: string) => void} say tells the visitor what a photo became.
 */
export function createApi(engine, page, base, say) {
  const thumbnails = new Map(page.samples.map(({ id, file }) => [id, new URL(file, base).href]));
  const titles = new Map(page.samples.map(({ id, title }) => [id, title]));
  const channels = new Map();

  async function frame({ recipe, quality, format, name }, seq, signal) {
    if (name === "photo") return engine.ask("save", { recipe });
    if (quality === "full" && name === "main") await pause(SETTLE, signal);
    const since = performance.now();
    const found = await engine.ask("render", { recipe, isQuick: quality === "fast" });
    return { ...found, seq, quality, format, elapsed: performance.now() - since };
  }

  return {
    status: "ready",
    onStatus: () => () => {},
    thumbnailUrl: (id) => thumbnails.get(id) ?? "",

    async addImage(file) {
      const { id, width, height, was, small } = await engine.ask("add", { blob: file });
      const title = file.name?.replace(/\.[^.]+$/, "") || "pasted photo";
      thumbnails.set(id, URL.createObjectURL(small));
      titles.set(id, title);
      const isShrunk = was[0] !== height || was[1] !== width;
      if (isShrunk) say(words.shrunk(title, [was[1], was[0]], [width, height]));
      return { id, width, height, title, shrunk: isShrunk, has_photo: true };
    },

    async forgetImage(id) {
      URL.revokeObjectURL(thumbnails.get(id));
      thumbnails.delete(id);
      await engine.ask("forget", { id });
    },

    render(recipe, { quality = "full", format = "webp", channel = "main", urgent = false } = {}) {
      if (!channels.has(channel)) channels.set(channel, new Channel(frame));
      return channels.get(channel).ask({ recipe, quality, format, name: channel }, { urgent });
    },

    cancel: (channel) => channels.get(channel)?.cancel(),

    async save(recipe) {
      const { blob } = await engine.ask("save", { recipe });
      return { blob, name: `${fileName(recipe, titles)}.png` };
    },

    /** The numbers of a picture before they are rounded: {planes: Float32Array [3, H, W], size, seconds}. */
    floats: (recipe) => engine.ask("floats", { recipe }),
  };
}

const SETTLE = 200; // ms without a newer wish, before what takes long is begun: it cannot be broken off

function pause(length, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, length);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("Given up.", "AbortError"));
    });
  });
}

/** Named by what it is made of. */
function fileName(recipe, titles) {
  const named = [recipe.structures, recipe.textures].map((parts) => (parts.length > 1 ? "mix" : (titles.get(parts[0]?.image) ?? "photo")));
  return named.join("-").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 80) || "swapae";
}
