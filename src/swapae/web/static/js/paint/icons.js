/** Icons of Paint and Directions, drawn as those of the frame are: strokes on a grid of 24. */

import { svg } from "../ui/dom.js";

const PATHS = {
  brush: "M20 4c-5 2-9 6-11 9l2 2c3-2 7-6 9-11zM9 13c-3 0-4 2-4 4 0 1-1 2-2 2 3 2 8 1 8-4",
  eraser: "M9 19h11M4 14 14 4l6 6-9 9H8zM9 9l6 6",
  rectangle: "M4 6h16v12H4z",
  lasso: "M12 4c5 0 8 2 8 5s-3 6-8 6-8-2-8-5 3-6 8-6zM8 14c-2 1-2 4 0 4s2 2 1 3",
  region: "M5 19 15 9M13 7l4 4M18 3v4M16 5h4M6 4v4M4 6h4M19 15v4M17 17h4",
  show: "M2.5 12s3.5-6.5 9.5-6.5 9.5 6.5 9.5 6.5-3.5 6.5-9.5 6.5S2.5 12 2.5 12zM12 9a3 3 0 1 0 0 6a3 3 0 0 0 0-6z",
  hide: "M3 4l18 16M9 6c1-.3 2-.5 3-.5 6 0 9.500 6.500 9.500 6.500a16 16 0 0 1-3 3.700M14.500 17.900c-.8.4-1.600.6-2.500.6-6 0-9.500-6.500-9.500-6.500a17 17 0 0 1 3.700-4.300",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  layers: "M12 4 3 9l9 5 9-5zM3 14l9 5 9-5",
  invert: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  clear: "M5 5h14v14H5zM9 9l6 6M15 9l-6 6",
  all: "M5 5h14v14H5zM8 12l3 3 5-6",
  load: "M12 16V5M7.500 9.500 12 5l4.500 4.500M4 20h16",
  file: "M12 4v11M7.500 11 12 15.500 16.500 11M4 20h16",
};

/** Make an icon by its name; decoration, so it always stands beside a text or a label. */
export function icon(name, size = 20) {
  return svg("svg", { viewBox: "0 0 24 24", width: size, height: size, class: "icon", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}
