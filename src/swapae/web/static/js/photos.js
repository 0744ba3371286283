/** Photos on the page: those of the gallery, those added, those a saved picture brought along. */

import { hasRecipe } from "./png.js";
import { imagesOf, withOther } from "./recipe.js";
import { isFar, smallerCopy } from "./smaller.js";
import { text } from "./text.js";

const KEPT = 256 * 2 ** 20; // bytes of originals kept, to show them large and to send them again

/** The entry of an image among all that are known; null for one that is not. */
export function photoOf(studio, id) {
  return studio.state.get().images.find((image) => image.id === id) ?? null;
}

/** The URL of an image's small picture. */
export function thumbnailOf(studio, id) {
  return photoOf(studio, id)?.url ?? (id ? studio.api.thumbnailUrl(id) : null);
}

/** The URL of an image's best picture: the file itself while it is kept, else the small one. */
export function pictureOf(studio, id) {
  return photoOf(studio, id)?.original ?? thumbnailOf(studio, id);
}

/** What an image is called. */
export function titleOf(studio, id) {
  return photoOf(studio, id)?.title ?? "a photo";
}

export function createPhotos({ api, state, history, toast, announce }) {
  /** Make an entry of what the server says. */
  function entry(info, more) {
    return { ...info, url: api.thumbnailUrl(info.id), source: "upload", ...more, title: more.title || info.title || "photo" };
  }

  function insert(entries) {
    state.set(({ images }) => {
      const others = images.filter((image) => !entries.some((own) => own.id === image.id));
      const gallery = others.filter((image) => image.source === "gallery");
      return { images: [...others.filter((image) => image.source !== "gallery"), ...entries, ...gallery] };
    });
    bound();
  }

  /** Let go of the oldest originals when they are too much. */
  function bound() {
    let bytes = 0;
    for (const image of [...state.get().images].reverse()) {
      bytes += image.blob?.size ?? 0;
      if (bytes > KEPT && image.original) {
        URL.revokeObjectURL(image.original);
        Object.assign(image, { original: null, blob: null });
      }
    }
  }

  /** Send one photo; gives its entry. */
  async function add(file) {
    const info = await api.addImage(file);
    const title = (file.name ?? "").replace(/\.[^.]+$/, "") || "pasted photo";
    const own = entry(info, { title, blob: file, original: URL.createObjectURL(file) });
    insert([own]);
    return own;
  }

  /** Open a picture saved here: its recipe becomes the document. */
  async function open(file) {
    const { recipe, images = [], masks = [], directions = [], notice = "" } = await api.openRecipe(file);
    const known = new Set(state.get().images.map((image) => image.id));
    const fresh = images.filter((info) => !known.has(info.id));
    insert(fresh.map((info, at) => entry(info, { title: info.title || `saved photo ${at + 1}`, source: "recipe" })));
    state.set({ recipe, opened: { masks, directions } }, { undoable: text.openedLabel });
    toast(`${text.opened(file.name || "the picture")} ${notice}`.trim(), { kind: notice ? "info" : "good", stay: !notice });
  }

  /**
   * Take in files: pictures saved here are opened, others added.
   * @returns {Promise<object[]>} entries of the photos added; what failed is said in a notice.
   */
  async function take(files) {
    const wanted = [...files].filter((file) => !file.type || file.type.startsWith("image/"));
    if (!wanted.length) {
      toast(text.notImages, { kind: "error" });
      return [];
    }
    const added = [];
    state.set(({ pending }) => ({ pending: pending + wanted.length }));
    announce(text.reading(wanted.length), 0);
    for (const file of wanted) {
      try {
        if (api.openRecipe && (await hasRecipe(file))) await open(file);
        else added.push(await add(file));
      } catch (error) {
        toast(file.name ? `${file.name}: ${error.message}` : error.message, {
          kind: "error",
          action: error.code === "offline" || error.isTemporary ? { label: text.retry, run: () => take([file]) } : null,
        });
      } finally {
        state.set(({ pending }) => ({ pending: pending - 1 }));
      }
    }
    if (added.length) announce(text.added(added.length), 0);
    offerSmaller(added);
    return added;
  }

  /** Say of photos that are far larger than the model knows that they are, and offer copies of its size. */
  function offerSmaller(added) {
    const side = state.get().model?.size;
    const far = added.filter((image) => isFar(image, side));
    if (!far.length) return;
    const run = () => Promise.all(far.map((image) => exchange(image, side))).catch(() => toast(text.notSmaller, { kind: "error" }));
    toast(text.tooLarge(side), { action: { label: text.useSmaller(far.length), run }, stay: false });
  }

  /** Put a smaller copy in the place of a photo, wherever the document has it. */
  async function exchange(image, side) {
    const copy = await add(await smallerCopy(image.blob, side));
    state.set(({ recipe }) => ({ recipe: recipe && withOther(recipe, image.id, copy.id) }), { undoable: text.smaller });
    await forget(image.id).catch(() => {}); // an earlier step of the history may need it
  }

  /** Take a photo away that was added; the server keeps it while a step of the history needs it. */
  async function forget(id) {
    if (!history.entries.some((entry) => imagesOf(entry.recipe).has(id))) await api.forgetImage(id);
    state.set(({ images }) => {
      const gone = images.find((image) => image.id === id);
      if (gone?.original) URL.revokeObjectURL(gone.original);
      return { images: images.filter((image) => image.id !== id) };
    });
  }

  return { entry, insert, add, take, open, forget };
}
