/** What the worker can do: open the model, take in photos, draw recipes. Photos are encoded once. */

import { written } from "../paint/png.js";
import { hybrid, smaller } from "./compose.js";
import { fetched } from "./fetched.js";
import { Pace } from "./pace.js";
import { decoded, decodedAt, thumbnail } from "./photo.js";
import { cropped, padded, toPixels } from "./pixels.js";
import { Refusal } from "./refusal.js";
import { Runtime, chosen, filesOf } from "./runtime.js";

export class Desk {
  #held = new Map(); // id → {blob, size, alpha, codes, resized}
  #pace = new Pace();
  #last = 0;

  /** @param {(message: object) => void} tell is heard by the page, unasked. */
  constructor(tell) {
    this.tell = tell;
  }

  /** Load and start all of it; `wanted` is a backend, or empty. */
  async open({ base, page, wanted }) {
    const build = await chosen(wanted);
    const names = ["config.json", page.encoder, page.generator, ...filesOf(build).map((file) => `ort/${file}`)];
    const all = names.reduce((sum, name) => sum + (page.bytes[name] ?? 0), 0);
    let have = 0;
    const load = (url) => fetched(url, (count) => this.tell({ progress: [Math.min(all, (have += count)), all] }));
    const at = (name) => new URL(name, base);
    this.config = JSON.parse(new TextDecoder().decode(await load(at("config.json"))));
    this.most = page.most[build];
    const runtime = new Runtime({ folder: at("ort/"), build, load, onMoved: (backend) => this.#moved(backend, page) });
    const [encoder, generator] = await Promise.all([load(at(page.encoder)), load(at(page.generator))]);
    await runtime.open({ encoder, generator }).catch((error) => {
      throw new Refusal(`ONNX Runtime could not start; WebAssembly may be forbidden here (${error.message ?? error}).`);
    });
    this.runtime = runtime;
    await this.#samples(page, at);
    return { value: { backend: runtime.backend, most: this.most, config: this.config } };
  }

  #moved(backend, page) {
    this.most = page.most[backend];
    this.#pace = new Pace();
    this.tell({ moved: backend });
  }

  /** Samples come as pictures, or as codes where their photos may not be passed on. */
  async #samples({ samples, codes }, at) {
    const floats = codes ? new Float32Array((await fetched(at(codes))).buffer) : null;
    const part = ([start, ...dims]) => ({ data: floats.slice(start, start + dims.reduce((a, b) => a * b)), dims });
    for (const { id, file, size, structure, texture } of samples) {
      const own = structure ? { codes: { structure: part(structure), texture: part(texture), size } } : { url: at(file) };
      this.#held.set(id, { size, alpha: null, ...own });
    }
  }

  /** Take in a photo. */
  async add({ blob }) {
    const photo = await decoded(blob, this.most);
    this.#last += 1;
    const id = `photo-${this.#last}`;
    this.#held.set(id, { blob, size: photo.size, alpha: photo.alpha, codes: await this.#encoded(photo) });
    const [height, width] = photo.size;
    const small = await thumbnail(toPixels(photo.planes, width, height, photo.alpha), photo.size);
    return { value: { id, width, height, was: photo.was, small } };
  }

  async forget({ id }) {
    this.#held.delete(id);
    return { value: null };
  }

  /** Draw a recipe, smaller where `isQuick` and the whole would take long. */
  async render({ recipe, isQuick }) {
    const codes = await this.#hybrid(recipe);
    const scale = isQuick ? this.#pace.scale(codes.structure.dims.slice(2)) : 1;
    const { planes, size, seconds } = await this.#decoded(smaller(codes, scale));
    const [height, width] = size;
    const alpha = scale === 1 ? this.#held.get(recipe.structures[0].image).alpha : null;
    const bitmap = await createImageBitmap(new ImageData(toPixels(planes, width, height, alpha), width, height));
    return { value: { bitmap, width, height, seconds, isFull: scale === 1 }, moved: [bitmap] };
  }

  /** The picture of a recipe as a PNG, exact to the bit: a canvas would multiply alpha in. */
  async save({ recipe }) {
    const { planes, size: [height, width] } = await this.#decoded(await this.#hybrid(recipe));
    const { alpha } = this.#held.get(recipe.structures[0].image);
    const pixels = toPixels(planes, width, height, alpha);
    const data = alpha ? pixels : pixels.filter((_, at) => at % 4 !== 3);
    return { value: { blob: await written({ width, height, data, channels: alpha ? 4 : 3 }) } };
  }

  /** The floats [3, H, W] of a recipe's picture, before they are clamped and rounded. */
  async floats({ recipe }) {
    const { planes, size, seconds } = await this.#decoded(await this.#hybrid(recipe));
    return { value: { planes, size, seconds }, moved: [planes.buffer] };
  }

  #hybrid(recipe) {
    return hybrid(recipe, { codes: (id) => this.#codes(id), structure: (id, size) => this.#structure(id, size) });
  }

  async #codes(id) {
    const held = this.#find(id);
    if (!held.codes) {
      const photo = await decoded(await this.#file(held), Infinity);
      Object.assign(held, { alpha: photo.alpha, codes: await this.#encoded(photo) });
    }
    return held.codes;
  }

  /** An image's structure at a size: its own, or that of its photo resized. */
  async #structure(id, [height, width]) {
    const held = this.#find(id);
    if (held.size[0] === height && held.size[1] === width) return (await this.#codes(id)).structure;
    if (held.resized?.size.join() !== `${height},${width}`) {
      held.resized = await this.#encoded(await decodedAt(await this.#file(held), [height, width]));
    }
    return held.resized.structure;
  }

  async #file(held) {
    if (!held.blob && !held.url) throw new Refusal("Structures of different sizes do not mix where only codes are here: take photos of one size.");
    held.blob ??= new Blob([await fetched(held.url)]);
    return held.blob;
  }

  #find(id) {
    const held = this.#held.get(id);
    if (!held) throw new Refusal("A photo of this picture is not here any more: add it again.");
    return held;
  }

  async #encoded({ planes, size }) {
    const { stride, min_side: least } = this.config;
    const [high, wide] = size.map((side) => Math.max(Math.ceil(side / stride) * stride, least));
    const images = { data: padded(planes, size, [high, wide]), dims: [1, 3, high, wide] };
    const { structure, texture } = await this.runtime.run("encoder", { images });
    return { structure, texture: { data: texture.data, dims: [1, texture.dims[1], 1, 1] }, size };
  }

  async #decoded({ structure, texture, size }) {
    const start = performance.now();
    const { images } = await this.runtime.run("generator", { structure, texture });
    const seconds = (performance.now() - start) / 1000;
    this.#pace.take(structure.dims[2] * structure.dims[3], seconds);
    return { planes: cropped(images.data, images.dims.slice(2), size), size, seconds };
  }
}
