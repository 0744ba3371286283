/** How pictures come in: a file dialog, drops, the clipboard. */

import { h, isTyping } from "./dom.js";
import { text } from "../text.js";

const RESULT = "application/x-swapae-result";
const IMAGE = "application/x-swapae-image";

/** Ask for files; an empty list when nobody chose any. */
export function pickFiles({ multiple = true, accept = "image/*" } = {}) {
  return new Promise((resolve) => {
    const input = h("input", { type: "file", multiple, accept, class: "unseen", tabIndex: -1, "aria-hidden": "true" });
    const end = (files) => {
      input.remove();
      resolve(files);
    };
    input.addEventListener("change", () => end([...input.files]));
    input.addEventListener("cancel", () => end([]));
    document.body.append(input);
    input.click();
  });
}

const carries = (event, type) => [...(event.dataTransfer?.types ?? [])].includes(type);

/**
 * Let things be dropped on an element, or pasted while the focus is in it: files; a photo of a picker; the result, which becomes a photo first.
 * @returns {() => void} a function that ends it
 */
export function dropTarget(studio, element, { onFiles, onImage }) {
  let depth = 0;
  const isWelcome = (event) => carries(event, "Files") || carries(event, RESULT) || carries(event, IMAGE);
  const lit = (is) => element.classList.toggle("welcome", is);

  const handlers = {
    async paste(event) {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length || isTyping(event.target)) return;
      event.preventDefault();
      event.stopPropagation();
      await onFiles(files);
    },
    dragenter(event) {
      if (!isWelcome(event)) return;
      depth += 1;
      lit(true);
    },
    dragleave() {
      depth = Math.max(0, depth - 1);
      if (!depth) lit(false);
    },
    dragover(event) {
      if (!isWelcome(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    },
    async drop(event) {
      depth = 0;
      lit(false);
      if (!isWelcome(event)) return;
      event.preventDefault();
      event.stopPropagation();
      document.documentElement.classList.remove("dragging");
      const id = event.dataTransfer.getData(IMAGE);
      if (carries(event, "Files")) await onFiles([...event.dataTransfer.files]);
      else if (id) onImage(studio.state.get().images.find((image) => image.id === id));
      else await asPhoto(studio, onImage);
    },
  };
  for (const [name, handler] of Object.entries(handlers)) element.addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers)) element.removeEventListener(name, handler);
  };
}

/** Make the present result a photo, and hand it on. */
export async function asPhoto(studio, onImage) {
  const { recipe } = studio.state.get();
  try {
    const { blob } = await studio.api.render(recipe, { format: "png", channel: "photo" });
    onImage(await studio.photos.add(new File([blob], "result.png", { type: "image/png" })));
  } catch (error) {
    studio.toast(error.message, { kind: "error" });
  }
}

/** What is dropped beside any target, or pasted, goes to the screen that is open. */
export function watchPage(studio, accept) {
  dropTarget(studio, document.body, { onFiles: take, onImage: (image) => image && accept([image]) });

  async function take(files) {
    const images = await studio.photos.take(files);
    if (images.length) accept(images);
  }

  for (const [name, is] of [["dragenter", true], ["dragend", false], ["drop", false]]) {
    document.addEventListener(name, (event) => {
      if (!is || carries(event, "Files")) document.documentElement.classList.toggle("dragging", is);
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.documentElement.classList.remove("dragging");
  });
  document.body.append(h("div", { class: "drop-hint", "aria-hidden": "true" }, h("p", {}, text.dropHere)));
}
