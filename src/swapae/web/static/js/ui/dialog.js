/** Dialogs: the browser's own modal element, so that focus and Escape behave as they should. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { text } from "../text.js";

/**
 * Open a dialog; its promise gives the value of the button that closed it, null for Escape.
 * @param {{title: string, body: Node|string, buttons?: {label: string, value: string, kind?: string}[], wide?: boolean}} what
 * @returns {Promise<string|null>}
 */
export function dialog({ title, body, buttons = [], wide = false }) {
  const opener = document.activeElement;
  return new Promise((resolve) => {
    const close = (value) => {
      element.close();
      element.remove();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
      resolve(value);
    };
    const element = h(
      "dialog",
      { class: wide ? "dialog wide" : "dialog", "aria-label": title },
      h(
        "header",
        {},
        h("h2", {}, title),
        h("button", { class: "bare", "aria-label": text.close, onclick: () => close(null) }, icon("close")),
      ),
      h("div", { class: "dialog-body", tabIndex: 0, role: "group", "aria-label": title }, body),
      buttons.length > 0 &&
        h(
          "footer",
          {},
          buttons.map(({ label, value, kind = "" }) => h("button", { class: kind, onclick: () => close(value) }, label)),
        ),
    );
    element.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(null);
    });
    element.addEventListener("click", (event) => event.target === element && close(null));
    document.body.append(element);
    element.showModal();
  });
}

/** Ask a question; true when the first button was pressed. */
export async function confirm(title, body, { label = text.ok, kind = "main" } = {}) {
  const buttons = [
    { label, value: "yes", kind },
    { label: text.cancel, value: "no", kind: "quiet" },
  ];
  return (await dialog({ title, body: h("p", {}, body), buttons })) === "yes";
}
