// The masks a page knows, by id: undone and opened recipes name them, and a server may have forgotten them.

import { encoded } from "./png.js";
import { blank, resized } from "./raster.js";

const MOST_BYTES = 64 * 2 ** 20;

export class MaskStore {
  /** @param api {addMask(png) → {id}, mask(id) → Blob} */
  constructor(api, mostBytes = MOST_BYTES) {
    this.api = api;
    this.mostBytes = mostBytes;
    this.kept = new Map(); // id → raster, the one used last at the end
    this.bytes = 0;
  }

  /** Give the raster of a mask if it is here. */
  get(id) {
    const raster = this.kept.get(id);
    if (raster) {
      this.kept.delete(id);
      this.kept.set(id, raster);
    }
    return raster;
  }

  /** Keep a raster under its id; those not used for long go, as the server has them. */
  keep(id, raster) {
    this.bytes -= this.kept.get(id)?.data.length ?? 0;
    this.kept.delete(id);
    this.kept.set(id, raster);
    this.bytes += raster.data.length;
    for (const [old, { data }] of this.kept) {
      if (this.bytes <= this.mostBytes || old === id) break;
      this.kept.delete(old);
      this.bytes -= data.length;
    }
  }

  /** Send a raster to the server; gives its id, by which a recipe names it. */
  async add(raster) {
    const { id } = await this.api.addMask(await encoded(raster));
    this.keep(id, raster);
    return id;
  }

  /** Give the raster of a mask, from the server where it is not here, at the size of an image. */
  async load(id, width, height) {
    const here = this.get(id);
    const raster = here ?? (await decoded(await this.api.mask(id)));
    if (!here) this.keep(id, raster);
    return raster.width === width && raster.height === height ? raster : resized(raster, width, height);
  }

  /** Send again what a server has forgotten: the masks a recipe names. Gives the recipe with their present ids. */
  async restored(recipe) {
    const ids = new Map();
    for (const { mask } of [...recipe.layers, ...recipe.directions]) {
      if (mask && !ids.has(mask) && this.get(mask)) ids.set(mask, await this.add(this.get(mask)));
    }
    const renamed = (list) => list.map((one) => ({ ...one, mask: ids.get(one.mask) ?? one.mask }));
    return { ...recipe, layers: renamed(recipe.layers), directions: renamed(recipe.directions) };
  }
}

/** Read a mask off a picture: white is inside, black and what is transparent outside, as `swapae paint` does. */
export async function decoded(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { width, height } = canvas;
  const pixels = context.getImageData(0, 0, width, height).data;
  const raster = blank(width, height);
  for (let at = 0; at < raster.data.length; at++) {
    const [red, green, blue, alpha] = pixels.subarray(4 * at, 4 * at + 4);
    raster.data[at] = Math.round(((0.299 * red + 0.587 * green + 0.114 * blue) * alpha) / 255);
  }
  return raster;
}
