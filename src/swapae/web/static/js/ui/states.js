/** What stands where a picture, a list or a screen would be: nothing yet, in the making, failed, unreachable. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { text } from "../text.js";

/** A quiet box with an icon, a sentence and perhaps a button. */
export function emptyState({ name = "image", title, hint = "", action = null, kind = "" }) {
  return h(
    "div",
    { class: `state ${kind}` },
    icon(name, 36),
    h("p", { class: "state-title" }, title),
    hint && h("p", { class: "hint" }, hint),
    action && h("button", { class: "quiet", onclick: action.run }, action.label),
  );
}

/** The same with a wheel that turns (or, with reduced motion, breathes). */
export function workingState(title = text.rendering) {
  return h("div", { class: "state", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), h("p", {}, title));
}

/** What became of the picture: why there is none, and what to do. */
export function explained(studio, error, { isEmpty = false, retry = null } = {}) {
  const action = retry && { label: text.retry, run: retry };
  if (error?.code === "offline") return emptyState({ name: "warning", title: text.offline, action });
  if (studio.api.status === "loading") return workingState(text.loading);
  if (error) return emptyState({ name: "warning", title: error.message, action, kind: "bad" });
  return isEmpty ? emptyState({ title: text.noPicture }) : workingState();
}

/** A bar that fills: {root, set(share, label)}; a share of null means that nobody knows how much is left. */
export function progress(label) {
  const bar = h("progress", { max: 1, "aria-label": label });
  const words = h("span", { class: "hint" }, label);
  return {
    root: h("div", { class: "progress" }, words, bar),
    set(share, said = label) {
      if (share === null) bar.removeAttribute("value");
      else bar.value = share;
      words.textContent = said;
      bar.setAttribute("aria-label", said);
    },
  };
}
