/** The shared controls, as screens get them: `studio.ui`. */

export { h, svg, place, refill, roving, focusOne, freshId, isTyping } from "./dom.js";
export { icon } from "./icons.js";
export { slider } from "./slider.js";
export { picker } from "./picker.js";
export { stage } from "./stage.js";
export { dropTarget, pickFiles, asPhoto } from "./intake.js";
export { dialog, confirm } from "./dialog.js";
export { emptyState, workingState, progress } from "./states.js";
export { toast, announce } from "./toast.js";
export { segmented } from "./segmented.js";
export { download } from "./download.js";
