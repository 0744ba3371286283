/** Short notices at the edge of the page: what happened, and a button where something can be done about it. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { text } from "../text.js";

const STAY = 6000; // ms; an error stays until it is closed
const AT_MOST = 4;

/** Show a notice {kind: "info"|"good"|"error", action: {label, run}}; gives back a function that takes it away. */
export function toast(message, { kind = "info", action = null, stay = kind !== "error" } = {}) {
  const box = document.getElementById("toasts");
  for (const same of box.querySelectorAll(".toast")) if (same.dataset.message === message) same.remove();
  const close = () => element.remove();
  const element = h(
    "div",
    { class: `toast ${kind}`, role: kind === "error" ? "alert" : "status", dataset: { message } },
    icon(kind === "error" ? "warning" : "check", 18),
    h("p", {}, message),
    action && h("button", { class: "quiet", onclick: () => (close(), action.run()) }, action.label),
    h("button", { class: "bare", "aria-label": text.close, onclick: close }, icon("close", 16)),
  );
  box.append(element);
  while (box.children.length > AT_MOST) box.firstElementChild.remove();
  if (stay) setTimeout(() => !element.matches(":hover, :focus-within") && close(), STAY);
  return close;
}

let lastSaid = null;

/** Say something to those who do not see the page, once it has been quiet for a moment. */
export function announce(message, delay = 400) {
  clearTimeout(lastSaid);
  lastSaid = setTimeout(() => {
    const status = document.getElementById("status");
    status.textContent = status.textContent === message ? `${message} ` : message;
  }, delay);
}
