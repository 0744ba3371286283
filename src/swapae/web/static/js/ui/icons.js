/** The icons: strokes on a grid of 24, in the colour of the text around them. */

import { svg } from "./dom.js";

const PATHS = {
  swap: "M4 8h13l-4-4M20 16H7l4 4",
  mix: "M4 4h16v16H4zM14.5 9.5m-1.6 0a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0M4 4l9.4 4.7M20 4l-4.4 4.4M4 20l9.6-9.4M20 20l-5-9",
  paint: "M19.5 3.5c1 1 .6 2.3-.4 3.4l-7 7.6-2.6-2.6 7.6-7c1-1 1.5-2.4 2.4-1.4zM8.6 13c-3 .5-2.6 4-5.6 5.4 3 2.6 8.6 1.6 8.6-2.4",
  directions: "M4 7h9M17 7h3M15 5v4M4 12h2M10 12h10M8 10v4M4 17h7M15 17h5M13 15v4",
  batch: "M8 8h12v12H8zM4 16V4h12M12 14.5l2 2 3.5-4",
  runs: "M4 4v16h16M7 15l4-5 3 3 5-7",
  undo: "M8 4 4 8l4 4M4 8h10a6 6 0 0 1 0 12h-3",
  redo: "M16 4l4 4-4 4M20 8H10a6 6 0 0 0 0 12h3",
  save: "M12 4v11M7.5 11 12 15.5 16.5 11M4 20h16",
  open: "M12 16V5M7.5 9.5 12 5l4.5 4.5M4 20h16",
  help: "M9.2 9a2.9 2.9 0 1 1 4.3 2.5c-1 .6-1.5 1.2-1.5 2.5M12 17.5v.01M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18z",
  sun: "M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  compare: "M2.5 12s3.5-6.5 9.5-6.5 9.5 6.5 9.5 6.5-3.5 6.5-9.5 6.5S2.5 12 2.5 12zM12 9a3 3 0 1 0 0 6a3 3 0 0 0 0-6z",
  split: "M12 3v18M4 6h5M4 18h5M4 6v12M15 6h5v12h-5M8 12h8M9.5 10.5 8 12l1.5 1.5M14.5 10.5 16 12l-1.5 1.5",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5v.01",
  play: "M7 5l12 7-12 7z",
  pause: "M8 5v14M16 5v14",
  model: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12 4 7.5",
  more: "M5 12v.01M12 12v.01M19 12v.01",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  refresh: "M20 5v5h-5M4 19v-5h5M5.5 9a7 7 0 0 1 12-2.5L20 10M4 14l2.5 3.5a7 7 0 0 0 12-2.5",
  check: "M5 12.5 10 17.5 19.5 6.5",
  warning: "M12 4 2.5 20h19zM12 10v5M12 17.5v.01",
  structure: "M4 4h16v16H4zM4 12h7V4M11 12v8M11 15h9",
  texture: "M4 4h16v16H4zM4 10l6-6M4 16 16 4M5 20 20 5M11 20l9-9M17 20l3-3",
  brush: "M20 4c-5 2-9 6-11 9l2 2c3-2 7-6 9-11zM9 13c-3 0-4 2-4 4 0 1-1 2-2 2 3 2 8 1 8-4",
  eraser: "M9 19h11M4 14 14 4l6 6-9 9H8zM9 9l6 6",
  rectangle: "M4 6h16v12H4z",
  lasso: "M12 4c5 0 8 2 8 5s-3 6-8 6-8-2-8-5 3-6 8-6zM8 14c-2 1-2 4 0 4s2 2 1 3",
  region: "M5 19 15 9M13 7l4 4M18 3v4M16 5h4M6 4v4M4 6h4M19 15v4M17 17h4",
  hide: "M3 4l18 16M9 6c1-.3 2-.5 3-.5 6 0 9.5 6.5 9.5 6.5a16 16 0 0 1-3 3.7M14.5 17.9c-.8.4-1.6.6-2.5.6-6 0-9.5-6.5-9.5-6.5a17 17 0 0 1 3.7-4.3",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  invert: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  clear: "M5 5h14v14H5zM9 9l6 6M15 9l-6 6",
  all: "M5 5h14v14H5zM8 12l3 3 5-6",
};

/** Make an icon by its name; decoration only, so it always stands beside a text or a label. */
export function icon(name, size = 20) {
  const path = svg("path", { d: PATHS[name] ?? PATHS.more });
  return svg("svg", { viewBox: "0 0 24 24", width: size, height: size, class: "icon", "aria-hidden": "true" }, path);
}
