/** Runs. */

import { text } from "../text.js";

export const id = "runs";
export const title = text.screens.runs;

export function mount(root, studio) {
  root.append(studio.ui.emptyState({ name: id, title: `${title} is not part of this version yet.` }));
}
