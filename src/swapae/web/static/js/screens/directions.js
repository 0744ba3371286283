/** Directions: what photos differ in, as sliders; and directions of one's own. */

import { createMaking } from "../directions/making.js";
import { MOST_MOVES, moveOf, moving, without } from "../directions/recipe.js";
import { createRow } from "../directions/row.js";
import { Strips } from "../directions/strips.js";
import { text } from "../directions/text.js";
import { icon } from "../ui/icons.js";
import { withStructure } from "../recipe.js";
import { titleOf } from "../photos.js";

export const id = "directions";
export const title = text.title;
export const key = "4";

let screen = null;
let chosenKind = "all"; // while other screens are open

export function mount(root, studio) {
  screen = new DirectionsScreen(root, studio);
  return screen.load();
}

export function unmount() {
  screen?.close();
  screen = null;
}

/** Photos dropped on the page: into a group while one is being made, else the photo that is edited. */
export function accept(images) {
  screen?.accept(images);
}

class DirectionsScreen {
  constructor(root, studio) {
    this.studio = studio;
    this.infos = [];
    this.rows = [];
    this.numChanges = 0; // made here, loaded here, deleted here
    this.isClosed = false;
    this.strips = new Strips(studio);
    const { ui } = studio;
    const { h } = ui;
    this.sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.strips.see(target.dataset.name, isIntersecting);
    });
    this.stage = ui.stage(studio, { label: () => (this.recipe ? titleOf(studio, this.recipe.structures[0].image) : "") });
    this.photo = ui.picker(studio, { label: text.photo, kind: "structure", layout: "strip", follow: false, onPick: (image) => this.#take(image) });
    this.making = createMaking(studio, () => this.infos.map((info) => info.name), (request) => this.#make(request));
    this.list = h("ul", { class: "directions-list", "aria-label": text.list });
    this.kinds = h("div", { class: "directions-kinds" });
    this.empty = h("div", {}, ui.workingState(text.loading));
    this.hint = h("p", { class: "hint" }, text.masksHint);
    this.resetAll = h("button", { class: "quiet", onclick: () => this.#edit((recipe) => without(recipe), text.labels.resetAll) }, text.resetAll);
    const load = h("button", { class: "quiet", onclick: () => this.#loadFile() }, icon("open", 18), h("span", {}, text.load));
    const photos = h("section", { class: "photo-choice", "aria-label": text.photo }, h("h2", {}, text.photo), this.photo.root);
    const tools = h("div", { class: "directions-tools" }, this.kinds, load, this.resetAll);
    root.append(
      h("div", { class: "directions-left" }, this.stage.root, photos),
      h("div", { class: "bench" }, tools, this.making.root, this.empty, this.list, this.hint),
    );
    this.ends = [
      studio.state.subscribe((now, before) => this.#follow(now, before)),
      () => this.sight.disconnect(),
      () => this.strips.close(),
      ...[this.photo, this.making, this.stage].map((part) => () => part.destroy()),
    ];
    this.show();
  }

  get recipe() {
    return this.studio.state.get().recipe;
  }

  close() {
    this.isClosed = true;
    for (const end of this.ends) end();
  }

  accept(images) {
    if (this.making.isOpen) this.making.accept(images);
    else this.#take(images[0]);
  }

  // ---- the directions there are

  async load() {
    const before = this.numChanges;
    let infos;
    try {
      infos = await this.studio.api.directions();
    } catch (error) {
      if (this.isClosed) return undefined;
      this.studio.ui.refill(this.empty, this.studio.ui.emptyState({ name: "warning", title: error.message, action: { label: text.again, run: () => this.load() } }));
      return undefined;
    }
    if (this.isClosed) return undefined;
    if (before !== this.numChanges) return this.load(); // the answer may know nothing of what was made since
    this.infos = infos;
    return this.#fill();
  }

  /** Make the rows anew: those of the kind that is chosen. */
  #fill() {
    const { ui } = this.studio;
    for (const row of this.rows) this.strips.remove(row.name);
    this.sight.disconnect();
    this.#fillKinds();
    const shown = this.infos.filter((info) => chosenKind === "all" || (chosenKind === "own" ? info.own : info.of === chosenKind && !info.own));
    this.rows = [...shown].sort((a, b) => Number(b.own) - Number(a.own)).map((info) => this.#row(info));
    ui.refill(this.list, this.rows.map((row) => row.root));
    ui.refill(this.empty, this.infos.length === 0 && ui.emptyState({ name: "directions", title: text.none, hint: text.noneHint }));
    this.show();
  }

  #row(info) {
    const row = createRow(info, {
      move: (name, fields, merge = null, label = text.labels.moved(name)) => this.#move(name, fields, merge, label),
      reset: (name) => this.#edit((recipe) => without(recipe, name), text.labels.reset(name)),
      remove: (one) => this.#remove(one),
      file: (one) => this.#saveFile(one),
      seal: () => this.studio.history.seal(),
    });
    this.strips.add(info.name, (url, error) => row.pictures(url, error));
    this.sight.observe(row.root);
    return row;
  }

  #fillKinds() {
    const has = { all: true, own: this.infos.some((info) => info.own) };
    for (const info of this.infos) if (!info.own) has[info.of] = true;
    if (!has[chosenKind]) chosenKind = "all";
    const options = Object.entries(text.kinds).filter(([kind]) => has[kind]).map(([value, label]) => ({ value, label }));
    const choose = (kind) => {
      chosenKind = kind;
      this.#fill();
      this.kinds.querySelector("input:checked")?.focus();
    };
    const choice = this.studio.ui.segmented({ label: text.show, options, value: chosenKind, onChange: choose });
    this.studio.ui.refill(this.kinds, options.length > 2 && choice.root);
  }

  // ---- the document

  #edit(change, label, merge = null) {
    if (this.recipe) this.studio.state.set({ recipe: change(this.recipe) }, { undoable: label, merge });
  }

  /** Another photo is to be edited. */
  #take(image) {
    this.#edit((recipe) => withStructure(recipe, image.id), text.labels.photo(image.title));
  }

  #move(name, fields, merge, label) {
    const isNew = !this.recipe?.directions.some((move) => move.name === name);
    if (isNew && this.recipe?.directions.length >= MOST_MOVES) {
      this.studio.toast(text.mostMoves(MOST_MOVES), { kind: "error" });
      return this.show();
    }
    return this.#edit((recipe) => moving(recipe, name, fields), label, merge);
  }

  #follow(now, before) {
    if (now.images !== before.images) this.making.forget(now.images);
    if (now.opened !== before.opened) this.load(); // a saved picture brought directions along
    if (now.recipe !== before.recipe || now.images !== before.images) this.show();
  }

  show() {
    const { recipe, studio } = this;
    if (!recipe) return;
    const layers = recipe.layers.map((layer) => ({ mask: layer.mask, title: titleOf(studio, layer.texture) }));
    for (const row of this.rows) row.show(moveOf(recipe, row.name), layers);
    this.photo.selected = recipe.structures.length === 1 ? recipe.structures[0].image : null;
    this.resetAll.disabled = recipe.directions.length === 0;
    this.hint.hidden = layers.length > 0 || this.rows.length === 0;
  }

  // ---- one's own

  async #make(request) {
    const info = await this.studio.api.makeDirection(request);
    this.#bring([info]);
    const least = Math.min(request.toward.length, request.away.length);
    const verdict = text.verdict(info.apart, least);
    this.rows.find((row) => row.name === info.name)?.note(verdict);
    this.studio.toast(`${text.make.done(info.name)} ${verdict}`, { kind: "good" });
  }

  /** Show new directions, the first of them in sight. */
  #bring(infos) {
    const names = infos.map((info) => info.name);
    this.numChanges += 1;
    this.infos = [...this.infos.filter((info) => !names.includes(info.name)), ...infos];
    if (chosenKind !== "own") chosenKind = "all";
    this.#fill();
    this.rows.find((row) => row.name === names[0])?.root.scrollIntoView({ block: "nearest" });
  }

  async #remove(info) {
    const { ui, api, toast } = this.studio;
    if (!(await ui.confirm(text.remove(info.name), text.removeBody(info.name), { label: text.removeYes }))) return;
    try {
      this.#edit((recipe) => without(recipe, info.name), text.labels.reset(info.name));
      await api.forgetDirection(info.name);
      this.numChanges += 1;
      this.infos = this.infos.filter((other) => other.name !== info.name);
      this.#fill();
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
  }

  async #saveFile(info) {
    const { api, ui, toast } = this.studio;
    try {
      ui.download(await api.directionFile(info.name), text.fileName(info.name));
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
  }

  async #loadFile() {
    const { api, ui, toast } = this.studio;
    const [file] = await ui.pickFiles({ multiple: false, accept: ".safetensors" });
    if (!file) return;
    try {
      const infos = await api.loadDirections(file);
      this.#bring(infos);
      toast(text.loaded(infos.map((info) => info.name)), { kind: "good" });
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
  }
}
