// Batch: many photos get the look of the present recipe. They are sent one after the other and come back full size.

import { Batch } from "../batch/batch.js";
import { chosen, dropped } from "../batch/files.js";
import { Look } from "../batch/look.js";
import { bytesWritten } from "../batch/names.js";
import { Row } from "../batch/row.js";
import { Store } from "../batch/store.js";
import { hasLook } from "../batch/work.js";
import { confirm } from "../ui/dialog.js";
import { download } from "../ui/download.js";
import { h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { text } from "../text.js";
import { emptyState } from "../ui/states.js";
import { announce, toast } from "../ui/toast.js";

export const id = "batch";
export const title = text.screens.batch;
export const key = "5";

const ARCHIVE = "swapae-batch.zip";
const NO_LOOK = "There is no look to apply yet: choose a texture on the screen Swap, or move a direction.";
let batch = null; // it goes on while other screens are open
let restoring = null;
let view = null;

/** Take up the batch that this tab had before it was loaded anew; the first time only. */
export async function prepare(studio) {
  restoring ??= begun(studio);
  batch = await restoring;
}

export function mount(root, studio) {
  view = new View(root, studio);
}

export function unmount() {
  view?.close();
  view = null;
}

/** Photos that were pasted, or dropped beside the screen, have become the page's; they join the list too. */
export function accept(images) {
  batch.add(images.filter(({ blob }) => blob).map(({ blob, title: name }) => ({ file: blob, path: name })));
}

async function begun(studio) {
  const made = new Batch(studio, { store: await Store.open() });
  made.ended = (counts) => {
    const words = `Batch: ${summary(counts)}.`;
    if (view) announce(words);
    else toast(words, { kind: counts.failed ? "info" : "good" });
  };
  window.addEventListener("beforeunload", (event) => made.isFragile && event.preventDefault());
  await made.restore();
  return made;
}

/** Say how a batch stands: `4 pictures, 1 failed, 3 to go`. */
function summary({ done, failed, stopped, waiting, working }) {
  const words = [done === 1 ? "1 picture" : `${done} pictures`];
  if (failed) words.push(`${failed} failed`);
  if (stopped) words.push(`${stopped} stopped`);
  if (waiting + working) words.push(`${waiting + working} to go`);
  return words.join(", ");
}

class View {
  constructor(root, studio) {
    Object.assign(this, { root, studio, rows: new Map(), packing: false, frame: 0 });
    this.build();
    batch.changed = (item) => this.update(item);
    this.end = [studio.state.subscribe((now, before) => now.recipe !== before.recipe && this.update(null))];
    this.listen();
    this.arrange();
    this.tell();
  }

  build() {
    const button = (kind, run, name, words) => h("button", { class: kind, onclick: run }, icon(name, 18), h("span", {}, words));
    this.main = button("main", () => this.go(), "play", "");
    this.stop = button("quiet", () => batch.cancel(), "close", "Cancel");
    this.again = button("quiet", () => batch.retry(), "refresh", "");
    this.pack = button("quiet", () => this.download(), "save", "");
    this.clear = button("quiet", () => this.empty(), "trash", "Clear the list");
    this.bar = h("progress", { max: 1, "aria-label": "Photos that are through" });
    this.words = h("p", { class: "batch-summary" });
    this.notice = h("p", { class: "batch-notice", role: "status" });
    this.list = h("ul", { class: "batch-list", "aria-label": "Photos" });
    this.look = new Look(this.studio, (screen) => this.studio.go(screen));
    const hint = "Drop photos or whole folders here. Each comes back full size with the look beside, under its own name.";
    this.none = h("div", { class: "batch-none" }, emptyState({ name: "batch", title: "Give many photos one look", hint }));
    const tools = h("div", { class: "batch-tools" }, this.main, this.stop, this.again, this.pack, this.clear);
    this.status = h("div", { class: "batch-status" }, tools, this.bar, this.words, this.notice);
    const side = h("div", { class: "batch-side" }, this.look.element, this.intake());
    this.root.append( h("div", { class: "batch-frame" }, h("h2", { class: "unseen" }, "Batch"), side, h("div", { class: "batch-main" }, this.none, this.status, this.list)));
  }

  /** Where photos come in. */
  intake() {
    const pick = (more, words, name) => {
      const input = h("input", { type: "file", multiple: true, class: "unseen", tabIndex: -1, "aria-label": words, ...more });
      input.addEventListener("change", () => this.take(chosen(input.files), input));
      return [h("button", { class: "quiet", onclick: () => input.click() }, icon(name, 18), h("span", {}, words)), input];
    };
    const buttons = [...pick({ accept: "image/*" }, "Choose photos", "open"), ...pick({ webkitdirectory: true }, "Choose a folder", "batch")];
    const hint = h("p", { class: "hint" }, "Their names never leave this browser, which keeps the list when the page is loaded anew. The server forgets each photo as soon as its picture is back.");
    return h("section", { class: "batch-intake", "aria-label": "Add photos" }, h("h3", {}, "Add photos"), h("p", { class: "batch-buttons" }, buttons), hint);
  }

  listen() {
    const on = (target, name, run) => {
      target.addEventListener(name, run);
      this.end.push(() => target.removeEventListener(name, run));
    };
    const isFiles = (event) => event.dataTransfer?.types.includes("Files");
    on(this.root, "dragover", (event) => isFiles(event) && event.preventDefault());
    on(this.root, "drop", (event) => isFiles(event) && this.drop(event));
    const { keys } = this.studio;
    const area = title;
    this.end.push(keys.add({ id: "batch.go", keys: ["ctrl+enter"], label: "Start, pause or go on", area, run: () => this.go() }));
    this.end.push(keys.add({ id: "batch.stop", keys: ["escape"], label: "Cancel the batch", area, when: () => batch.queue.isBusy, run: () => batch.cancel() }));
  }

  async drop(event) {
    event.preventDefault();
    event.stopPropagation();
    document.documentElement.classList.remove("dragging");
    try {
      this.take(await dropped(event.dataTransfer));
    } catch {
      toast("What was dropped cannot be read; choose the photos by the button.", { kind: "error" });
    }
  }

  take({ photos, others }, input = null) {
    if (input) input.value = "";
    if (others) toast(others === 1 ? "1 file that is no picture was left out." : `${others} files that are no pictures were left out.`);
    batch.add(photos);
    if (photos.length) announce(photos.length === 1 ? "Added 1 photo." : `Added ${photos.length} photos.`);
  }

  /** The one large button: start, pause, go on. The key asks the batch itself: the button is a frame behind. */
  go() {
    if (batch.isRunning) batch.pause();
    else if (batch.isThrough) return;
    else if (hasLook(batch.look)) batch.start();
    else toast(NO_LOOK);
  }

  async download() {
    this.packing = true;
    this.update(null);
    try {
      download(await batch.packed((done, all) => this.say(this.pack, `Packing ${done} of ${all}…`)), ARCHIVE);
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
    this.packing = false;
    this.update(null);
  }

  async empty() {
    const isLost = batch.hasUnkept;
    if (isLost && !(await confirm("Clear the list?", "Some of its pictures have not been downloaded.", { label: "Clear it" }))) return;
    batch.cancel();
    batch.remove(() => true);
    this.root.querySelector(".batch-intake button")?.focus();
  }

  update(item) {
    if (item) this.rows.get(item.id)?.update();
    else this.arrange();
    this.frame ||= requestAnimationFrame(() => this.tell());
  }

  /** Make rows for new photos, take away those of removed ones. */
  arrange() {
    const { items } = batch;
    const there = new Set(items.map(({ id: number }) => number));
    for (const [number, row] of this.rows) {
      if (there.has(number)) continue;
      row.forget();
      row.element.remove();
      this.rows.delete(number);
    }
    for (const one of items.filter(({ id: number }) => !this.rows.has(number))) {
      const row = new Row(one, {
        retry: (which) => batch.retry((other) => other === which),
        remove: (which) => this.remove(which),
        kept: ({ result }) => batch.kept.add(result.blob),
      });
      this.rows.set(one.id, row);
      this.list.append(row.element);
    }
    for (const row of this.rows.values()) row.update();
    this.look.update(batch.look);
  }

  /** Take a photo off the list; the focus goes to the next. */
  remove(item) {
    const next = this.rows.get(item.id).element.nextElementSibling ?? this.rows.get(item.id).element.previousElementSibling;
    batch.remove((other) => other === item);
    (next?.querySelector(".bare") ?? this.root.querySelector(".batch-intake button"))?.focus();
  }

  tell() {
    this.frame = 0;
    const counts = batch.queue.counts();
    const bytes = batch.queue.bytes;
    const through = counts.done + counts.failed + counts.stopped;
    this.status.hidden = !counts.all;
    this.none.hidden = counts.all > 0;
    this.say(this.main, this.offer(counts));
    this.main.replaceChild(icon(batch.isRunning ? "pause" : "play", 18), this.main.firstChild);
    const isIdle = batch.isThrough;
    this.main.hidden = isIdle;
    this.main.disabled = !batch.isRunning && (isIdle || !hasLook(batch.look));
    this.pack.className = isIdle ? "main" : "quiet";
    this.stop.hidden = !counts.waiting && !counts.working;
    this.again.hidden = !(counts.failed + counts.stopped);
    this.say(this.again, `Try ${counts.failed + counts.stopped} again`);
    this.pack.hidden = !counts.done;
    this.pack.disabled = this.packing;
    if (!this.packing) this.say(this.pack, `Download all as a zip (${bytesWritten(bytes)})`);
    this.bar.value = counts.all ? through / counts.all : 0;
    this.words.textContent = `${through} of ${counts.all} through: ${summary(counts)}`;
    this.notice.textContent = this.reason(counts);
    this.notice.hidden = !this.notice.textContent;
  }

  /** What the large button does now. */
  offer({ all, waiting, working, done }) {
    if (batch.isRunning) return "Pause";
    const photos = (count) => (count === 1 ? "1 photo" : `${count} photos`);
    if (waiting) return done || working ? `Go on with ${photos(waiting)}` : `Apply to ${photos(waiting)}`;
    return `Apply the new look to ${all === 1 ? "it" : `all ${all}`}`;
  }

  /** Why nothing goes on, where that is so. */
  reason({ waiting, working }) {
    if (batch.isRunning && batch.isOutdated) return "These photos get the look as it was at the start. To use the new one for the rest, pause and go on.";
    if (!waiting) return "";
    if (batch.queue.isFull) return "The pictures made so far fill 1 GB of this browser. Download them and clear the list to go on.";
    if (batch.queue.pausedFor) return batch.queue.pausedFor;
    if (!batch.isRunning && working) return "Paused; those under way are finished first.";
    return "";
  }

  say(button, words) {
    const span = button.querySelector("span");
    if (span.textContent !== words) span.textContent = words;
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.end.forEach((end) => end());
    batch.changed = () => {};
    for (const row of this.rows.values()) row.forget();
  }
}
