/** The frame around every screen: tabs, tools, the line that says when the server is away, history, shortcuts. */

import { icon } from "./ui/icons.js";
import { h, refill, roving, focusOne } from "./ui/dom.js";
import { dialog } from "./ui/dialog.js";
import { download } from "./ui/download.js";
import { help } from "./ui/help.js";
import { pickFiles } from "./ui/intake.js";
import { emptyState, workingState } from "./ui/states.js";
import { historyStrip } from "./ui/strip.js";
import { text } from "./text.js";

const NO_PICTURE = ["batch", "runs"]; // screens that do not show the picture

export function createFrame(studio, screens, root) {
  const { state, history, keys, api } = studio;
  const tabs = document.getElementById("tabs");
  const footer = document.getElementById("history");
  let open = null; // the module of the screen shown
  const arrived = []; // photos that came while a screen was being opened
  let opening = 0;

  // ── screens ───────────────────────────────────────────────────────────────
  function drawTabs() {
    const list = screens.map((screen) =>
      h(
        "button",
        { role: "tab", id: `tab-${screen.id}`, "aria-selected": "false", title: `${screen.title} (${screen.key})`, onclick: () => go(screen.id) },
        icon(screen.id),
        h("span", {}, screen.title),
      ),
    );
    const group = h("div", { role: "tablist", "aria-label": "Screens" }, list);
    roving(group, () => list, { onMove: (tab) => tab.click() });
    refill(tabs, group);
  }

  async function go(id) {
    const screen = screens.find((candidate) => candidate.id === id) ?? screens[0];
    if (state.get().screen === screen.id) return;
    if (!state.get().model) return void location.replace(`#${screen.id}`); // it is opened as soon as there is a model
    opening += 1;
    const own = opening;
    mark(screen);
    open?.unmount?.();
    open = null;
    state.set({ screen: screen.id });
    refill(root, workingState(screen.title));
    try {
      const module = await screen.load();
      await module.prepare?.(studio);
      if (own !== opening) return;
      const place = h("div", { class: `screen ${screen.id}`, role: "tabpanel", "aria-labelledby": `tab-${screen.id}` });
      refill(root, place);
      open = module;
      const mounted = module.mount(place, studio);
      if (arrived.length) accept(arrived.splice(0));
      await mounted;
    } catch (error) {
      console.error(error);
      if (own === opening) refill(root, emptyState({ name: "warning", kind: "bad", title: text.failedScreen(screen.title), hint: error.message }));
    }
  }

  function mark(screen) {
    const all = [...tabs.querySelectorAll("[role=tab]")];
    for (const tab of all) tab.setAttribute("aria-selected", String(tab.id === `tab-${screen.id}`));
    focusOne(all, all.find((tab) => tab.id === `tab-${screen.id}`), { focus: false });
    footer.hidden = NO_PICTURE.includes(screen.id);
    document.documentElement.classList.toggle("no-picture", footer.hidden);
    document.title = `${screen.title} · ${text.name}`;
    if (location.hash.slice(1) !== screen.id) location.replace(`#${screen.id}`);
  }

  // ── what the whole page can do ────────────────────────────────────────────
  /** What was painted a moment ago may be on its way to the server still; it comes before whatever is asked next. */
  const settled = () => open?.settled?.();

  async function undo() {
    await settled();
    const label = history.undo();
    studio.announce(label ? text.stepBack(label) : text.nothingToUndo, 0);
  }

  async function redo() {
    await settled();
    const label = history.redo();
    studio.announce(label ? text.stepForward(label) : text.nothingToRedo, 0);
  }

  async function save() {
    await settled();
    const { recipe } = state.get();
    if (!recipe) return void studio.toast(state.get().model ? text.noPicture : text.loading);
    try {
      const { blob, name } = await api.save(recipe);
      download(blob, name);
      studio.toast(text.saved(name), { kind: "good" });
    } catch (error) {
      studio.toast(error.message, { kind: "error", action: { label: text.retry, run: save } });
    }
  }

  async function openFiles() {
    const images = await studio.photos.take(await pickFiles());
    if (images.length) accept(images);
  }

  /** Photos dropped on the page or pasted: the screen says what becomes of them, as soon as it is there. */
  function accept(images) {
    if (open) open.accept?.(images, studio);
    else arrived.push(...images);
  }

  /** Escape: notices go, and what the picture still waits for is given up. */
  function cancel() {
    document.getElementById("toasts").replaceChildren();
    api.cancel("main");
  }

  // ── tools ─────────────────────────────────────────────────────────────────
  const isDark = () => {
    const { theme } = document.documentElement.dataset;
    return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };

  function toggleTheme() {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("swapae.theme", theme);
    } catch {
      // Without storage it holds until the page closes.
    }
    drawTools();
  }

  function tool(name, label, run, more = {}) {
    return h("button", { class: "tool", "aria-label": label, title: label, onclick: run, ...more }, icon(name));
  }

  function drawTools() {
    const model = state.get().model;
    const name = h("button", { class: "model", title: text.model, "aria-label": `${text.model}: ${model?.title ?? ""}`, onclick: showModel, hidden: !model }, icon("model", 18), h("span", {}, model?.title ?? model?.name ?? ""));
    const theme = tool(isDark() ? "sun" : "moon", text.theme(isDark()), toggleTheme, { id: "theme" });
    const hadFocus = document.activeElement?.id === "theme";
    const saves = h("button", { class: "main save", title: `${text.save} (Ctrl+S)`, onclick: save, hidden: !model }, icon("save", 18), h("span", {}, text.save));
    refill(document.getElementById("tools"), name, tool("open", text.open, openFiles, { hidden: !model }), theme, tool("help", text.help, () => help(studio)), saves);
    if (hadFocus) document.getElementById("theme").focus();
  }

  function showModel() {
    const { model } = state.get();
    const rows = [
      ["Size", `${model.size ?? "?"} × ${model.size ?? "?"}`],
      ["Sides are multiples of", model.multiple],
      ["Longest side", model.max_side],
      ["Runs by", model.backend && `${model.backend}, on ${model.device}`],
    ].filter(([, value]) => value !== undefined && value !== null);
    const facts = h("dl", { class: "facts" }, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]));
    return dialog({ title: model.title ?? model.name, wide: true, body: h("div", {}, facts, h("pre", { class: "card-text" }, model.card ?? "")) });
  }

  // ── is the server there? ──────────────────────────────────────────────────
  function notice(status, before) {
    const box = document.getElementById("notice");
    if (!state.get().model) return; // until then the screen's place says it
    box.hidden = status === "ready";
    box.className = `notice ${status}`;
    if (status === "ready") {
      if (before === "offline") studio.toast(text.back, { kind: "good" });
      return;
    }
    refill(box, icon(status === "offline" || status === "locked" ? "warning" : "refresh", 18), h("p", {}, text[status]));
  }

  function shortcuts() {
    for (const screen of screens) keys.add({ id: `screen-${screen.id}`, keys: [screen.key], label: screen.title, area: "Screens", run: () => go(screen.id) });
    keys.add({ id: "undo", keys: ["ctrl+z"], label: text.undo, run: undo });
    keys.add({ id: "redo", keys: ["ctrl+shift+z", "ctrl+y"], label: text.redo, run: redo });
    keys.add({ id: "save", keys: ["ctrl+s"], label: text.save, run: save, once: true });
    keys.add({ id: "open", keys: ["ctrl+o"], label: text.open, run: openFiles, once: true });
    keys.add({ id: "again", keys: ["ctrl+enter"], label: text.again, run: () => studio.live.again(), once: true });
    keys.add({ id: "cancel", keys: ["escape"], label: text.cancelAll, run: cancel });
    keys.add({ id: "help", keys: ["?"], label: text.help, run: () => help(studio), once: true });
  }

  drawTabs();
  drawTools();
  shortcuts();
  historyStrip(Object.assign(studio, { undo, redo }), footer);
  footer.hidden = true;
  api.onStatus(notice);
  state.subscribe((now, before) => now.model !== before.model && drawTools());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTools);
  addEventListener("hashchange", () => go(location.hash.slice(1)));

  return {
    go,
    accept,
    /** Say why the page is not there yet. */
    opening(error) {
      const title = error.code === "offline" ? text.unreached : text.loading;
      refill(root, error.code === "offline" ? emptyState({ name: "warning", title }) : workingState(title));
    },
    actions: { go, undo, redo, save, openFiles, showHelp: () => help(studio) },
  };
}
