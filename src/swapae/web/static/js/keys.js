/**
 * Shortcuts: each has a name, keys and what it does; people may give them other keys. A key is found by what it types
 * and, where a layout types it only with AltGr or types something else, by its place on the keyboard.
 */

import { isTyping } from "./ui/dom.js";

const STORE = "swapae.keys";
const PLACES = { BracketLeft: "[", BracketRight: "]", Minus: "-", Equal: "+", Slash: "?" };
/** Keys that a focused control of this kind needs itself. */
const OWN = {
  range: ["arrowleft", "arrowright", "arrowup", "arrowdown", "home", "end", "pageup", "pagedown"],
  press: [" ", "enter"],
};

export function createKeys() {
  const shortcuts = new Map();
  let chosen = load();

  /** Add a shortcut {id, keys, label, area, run, up?, when?}; gives back a function that takes it away. */
  function add(shortcut) {
    const own = { area: "", ...shortcut };
    shortcuts.set(own.id, own);
    return () => shortcuts.get(own.id) === own && shortcuts.delete(own.id);
  }

  const keysOf = (shortcut) => chosen[shortcut.id] ?? shortcut.keys;

  function find(event) {
    const typed = spellings(event);
    const all = [...shortcuts.values()].filter((shortcut) => !shortcut.when || shortcut.when());
    return all.findLast((shortcut) => keysOf(shortcut).some((key) => typed.includes(key)));
  }

  const held = new Map(); // code → shortcut whose `up` is due

  globalThis.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const hasModifier = (event.ctrlKey || event.metaKey) && !isAltGraph(event);
    if (event.altKey && !isAltGraph(event)) return;
    if (isTyping(event.target) && !(hasModifier && event.key.toLowerCase() === "s")) return;
    if (!hasModifier && isNeededBy(event.target, event.key)) return;
    const shortcut = find(event);
    if (!shortcut) return;
    event.preventDefault();
    if (event.repeat && (shortcut.up || shortcut.once)) return;
    if (shortcut.up) held.set(event.code, shortcut);
    shortcut.run(event);
  });

  globalThis.addEventListener("keyup", (event) => {
    held.get(event.code)?.up(event);
    held.delete(event.code);
  });
  globalThis.addEventListener("blur", () => {
    for (const shortcut of held.values()) shortcut.up();
    held.clear();
  });

  return {
    add,
    keysOf,
    all: () => [...shortcuts.values()],
    /** Give a shortcut another key, or its own again by null; takes that key from whichever had it. */
    assign(id, key) {
      if (key === null) delete chosen[id];
      else {
        for (const other of shortcuts.values()) {
          if (other.id !== id && keysOf(other).includes(key)) chosen[other.id] = keysOf(other).filter((k) => k !== key);
        }
        chosen[id] = [key];
      }
      store(chosen);
    },
    isChanged: (id) => id in chosen,
    reset() {
      chosen = {};
      store(chosen);
    },
  };
}

/** How a pressed key may be written: "ctrl+shift+z", "[", "?", " ". */
export function spellings(event) {
  const modifier = (event.ctrlKey || event.metaKey) && !isAltGraph(event) ? "ctrl+" : "";
  const shift = event.shiftKey ? "shift+" : "";
  const key = event.key.toLowerCase();
  const found = [modifier + shift + key];
  if (key.length === 1 && key.toUpperCase() === key.toLowerCase()) found.push(modifier + key); // "?" is already shifted
  const [, letter, digit] = /^(?:Key([A-Z])|Digit(\d))$/.exec(event.code ?? "") ?? [];
  if (letter && !/^[ -~]$/.test(key)) found.push(modifier + shift + letter.toLowerCase()); // a layout of other letters
  const place = digit ?? PLACES[event.code];
  if (place && !event.shiftKey && !isAltGraph(event)) found.push(modifier + place);
  return found;
}

/** Whether AltGr is held, which some systems report as Ctrl and Alt. */
function isAltGraph(event) {
  return Boolean(event.getModifierState?.("AltGraph"));
}

/** A key for people: "Ctrl + Shift + Z". */
export function written(key) {
  const names = { " ": "Space", arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓", escape: "Esc" };
  const parts = key === " " ? [" "] : key.split("+").filter(Boolean);
  if (key.endsWith("+") && key !== "+") parts.push("+");
  if (key === "+") parts.splice(0, parts.length, "+");
  return parts.map((part) => names[part] ?? part[0].toUpperCase() + part.slice(1)).join(" + ");
}

function isNeededBy(target, key) {
  if (!(target instanceof Element)) return false;
  const name = key.toLowerCase();
  if (target.matches("input[type=range]")) return OWN.range.includes(name);
  return target.matches("button, a[href], summary, input[type=checkbox], input[type=radio], [role=radio]") && OWN.press.includes(name);
}

function load() {
  try {
    const found = JSON.parse(localStorage.getItem(STORE) ?? "{}");
    return typeof found === "object" && found !== null && !Array.isArray(found) ? found : {};
  } catch {
    return {};
  }
}

function store(chosen) {
  try {
    localStorage.setItem(STORE, JSON.stringify(chosen));
  } catch {
    // Without storage the keys hold until the page closes.
  }
}
