/** Mix. */

import { text } from "../text.js";

export const id = "mix";
export const title = text.screens.mix;

export function mount(root, studio) {
  root.append(studio.ui.emptyState({ name: id, title: `${title} is not part of this version yet.` }));
}
