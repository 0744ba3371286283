// The edge of a mask as an SVG path along the pixels' sides, so that it is sharp at every zoom.

/** Give the path of the edge between pixels that are inside by half or more, and others; "" where there is none. */
export function outlined({ width, height, data }) {
  const isIn = (x, y) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] >= 128;
  const parts = [];
  for (let y = 0; y <= height; y++) {
    for (let x = 0, from = -1; x <= width; x++) {
      const isEdge = x < width && isIn(x, y - 1) !== isIn(x, y);
      if (isEdge && from < 0) from = x;
      if (!isEdge && from >= 0) [from] = [-1, parts.push(`M${from} ${y}H${x}`)];
    }
  }
  for (let x = 0; x <= width; x++) {
    for (let y = 0, from = -1; y <= height; y++) {
      const isEdge = y < height && isIn(x - 1, y) !== isIn(x, y);
      if (isEdge && from < 0) from = y;
      if (!isEdge && from >= 0) [from] = [-1, parts.push(`M${x} ${from}V${y}`)];
    }
  }
  return parts.join("");
}
