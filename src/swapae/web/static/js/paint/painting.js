// What a person does on Paint, as changes of the document: layers, and their masks by every tool but the plain strokes.

import { titleOf, photoOf } from "../photos.js";
import { Drafts } from "./drafts.js";
import { decoded, MaskStore } from "./masks.js";
import { encoded } from "./png.js";
import { blank, boxed, copied, INSIDE, inverted, joined, resized, share } from "./raster.js";
import { added, changed, isPaintedOver, MOST_LAYERS, moved, removed } from "./recipe.js";
import { text } from "./text.js";
import { newTools } from "./toolbar.js";

/** What Paint remembers while other screens are open: tools, the layer in hand, masks. */
export const kept = { tools: newTools(), selected: 0, isHidden: false, store: null };

const shares = new WeakMap(); // of rasters that are kept: those change no more

export class Painting {
  /**
   * @param studio
   * @param onChange called when what is to be seen may have changed beside the recipe.
   */
  constructor(studio, onChange) {
    Object.assign(this, { studio, onChange, tools: kept.tools, click: null });
    this.store = kept.store ??= new MaskStore(studio.api);
    this.drafts = new Drafts(studio, this.store, (error) => this.failed(error));
  }

  get recipe() {
    return this.studio.state.get().recipe;
  }

  get selected() {
    return kept.selected;
  }

  /** The layer in hand, or null. */
  get layer() {
    return this.recipe?.layers[kept.selected] ?? null;
  }

  /** The photo painted on, or null. */
  get photo() {
    return photoOf(this.studio, this.recipe?.structures[0]?.image);
  }

  /** The size of the picture {width, height}, or null while nobody knows it. */
  get size() {
    const { frame } = this.studio.live;
    const { width, height } = this.photo ?? { width: frame?.fullWidth, height: frame?.fullHeight };
    return width ? { width, height } : null;
  }

  title(image) {
    return titleOf(this.studio, image);
  }

  edit(change, label, merge = null) {
    if (this.recipe) this.studio.state.set({ recipe: change(this.recipe) }, { undoable: label, merge });
  }

  failed(error) {
    this.studio.toast(error.message, { kind: "error" });
    this.onChange();
  }

  /** Run what may fail; what went wrong becomes a notice. */
  async attempt(run) {
    try {
      return await run();
    } catch (error) {
      return this.failed(error);
    }
  }

  // ---- masks

  /** Give the mask of the layer in hand as a raster of the picture's size; of no layer an empty one. */
  async raster() {
    const { width, height } = this.size;
    return this.layer ? this.store.load(this.layer.mask, width, height) : blank(width, height);
  }

  /** Tell what part of the picture a mask covers; null where its pixels are not here. */
  shareOf(mask) {
    const raster = this.store.get(mask);
    if (raster && !shares.has(raster)) shares.set(raster, share(raster));
    return raster ? shares.get(raster) : null;
  }

  /** A stroke begins: whether there is a layer for it. */
  begin() {
    if (!this.hasLayer()) return false;
    this.click = null;
    if (!this.layer.visible) {
      this.change(kept.selected, { visible: true }, text.labels.visible(true));
      this.studio.toast(text.hiddenLayer);
    }
    this.drafts.begin(kept.selected);
    return true;
  }

  /** A stroke ended, or another way of painting: the mask is now this one. */
  async commit(raster, label, merge = null) {
    const isDone = await this.drafts.commit(kept.selected, raster, label, merge);
    this.onChange();
    return isDone;
  }

  hasLayer() {
    if (!this.layer) this.studio.toast(text.noLayer);
    return this.layer !== null;
  }

  /** Make another mask of the whole mask in hand. */
  shape(make, label) {
    if (!this.hasLayer()) return null;
    this.click = null;
    return this.attempt(async () => this.commit(make(copied(await this.raster())), label));
  }

  clear() {
    return this.shape(({ width, height }) => blank(width, height), text.labels.clear);
  }

  all() {
    return this.shape(({ width, height }) => blank(width, height, INSIDE), text.labels.all);
  }

  invert() {
    return this.shape(inverted, text.labels.invert);
  }

  box([left, top, width, height]) {
    const { isErasing } = this.tools;
    return this.shape((raster) => boxed(raster, [left, top], [left + width, top + height], isErasing), text.labels.painted("rectangle"));
  }

  // ---- a region by one click

  /** Take what is built like the place clicked on into the mask, or out of it. */
  pick(point, isErasing = this.tools.isErasing) {
    if (!this.hasLayer()) return null;
    return this.attempt(async () => {
      this.click = { at: kept.selected, point, base: await this.raster(), isErasing, isAsking: false, isStale: false };
      await this.clickAgain();
    });
  }

  /** Ask for the region of the last click again, with the likeness set now; the latest wins. */
  async clickAgain() {
    const { click } = this;
    if (!click) return;
    click.isStale = true;
    if (click.isAsking) return;
    click.isAsking = true;
    await this.attempt(async () => {
      while (click.isStale && click === this.click) {
        click.isStale = false;
        await this.applyClick(click);
      }
    });
    click.isAsking = false;
  }

  async applyClick(click) {
    const { width, height } = click.base;
    const [x, y] = [click.point[0] / width, click.point[1] / height].map((part) => Math.min(1, Math.max(0, part)));
    const { threshold, connected } = this.tools;
    const { blob } = await this.studio.api.clickMask({ image: this.recipe.structures[0].image, x, y, threshold, connected });
    const region = resized(await decoded(blob), width, height);
    if (click === this.click) await this.commit(joined(click.base, region, click.isErasing), text.labels.painted("region"), "region");
  }

  // ---- masks as files

  async load(file) {
    const picture = await decoded(file).catch(() => null);
    if (!picture) return this.failed(new Error(text.badMask(file.name)));
    return this.shape((raster) => resized(picture, raster.width, raster.height), text.labels.load);
  }

  save() {
    return this.attempt(async () => this.studio.ui.download(await encoded(await this.raster()), text.maskFile(kept.selected + 1)));
  }

  // ---- layers

  select(at) {
    this.click = null;
    kept.selected = at;
    this.onChange();
  }

  /** Stay with the layer in hand while layers come and go. */
  clamp() {
    kept.selected = Math.max(0, Math.min(kept.selected, (this.recipe?.layers.length ?? 0) - 1));
  }

  change(at, fields, label, merge = null) {
    this.edit((recipe) => changed(recipe, at, fields), label, merge);
  }

  /** Lay a layer with the texture of an image on top, with nothing painted yet. */
  add(image) {
    const { studio, size } = this;
    if (!this.recipe || !size) return studio.toast(text.noPicture);
    if (this.recipe.layers.length >= MOST_LAYERS) return studio.toast(text.mostLayers(MOST_LAYERS), { kind: "error" });
    return this.attempt(async () => {
      const mask = await this.store.add(blank(size.width, size.height));
      const isOver = isPaintedOver(this.recipe, image.id);
      this.click = null;
      kept.selected = this.recipe.layers.length;
      this.edit((recipe) => added(isOver ? { ...recipe, strength: 0 } : recipe, image.id, mask), text.labels.added);
      if (isOver) studio.toast(text.paintsOnPhoto(image.title));
      studio.announce(text.layer(kept.selected + 1, image.title));
    });
  }

  remove(at) {
    this.click = null;
    this.edit((recipe) => removed(recipe, at), text.labels.removed);
  }

  move(at, by) {
    if (kept.selected === at) kept.selected += by;
    else if (kept.selected === at + by) kept.selected = at;
    this.edit((recipe) => moved(recipe, at, by), text.labels.moved);
  }
}
