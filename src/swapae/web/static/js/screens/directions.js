/** Directions. */

import { text } from "../text.js";

export const id = "directions";
export const title = text.screens.directions;

export function mount(root, studio) {
  root.append(studio.ui.emptyState({ name: id, title: `${title} is not part of this version yet.` }));
}
