/** Batch. */

import { text } from "../text.js";

export const id = "batch";
export const title = text.screens.batch;

export function mount(root, studio) {
  root.append(studio.ui.emptyState({ name: id, title: `${title} is not part of this version yet.` }));
}
