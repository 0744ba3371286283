/** Paint. */

import { text } from "../text.js";

export const id = "paint";
export const title = text.screens.paint;

export function mount(root, studio) {
  root.append(studio.ui.emptyState({ name: id, title: `${title} is not part of this version yet.` }));
}
