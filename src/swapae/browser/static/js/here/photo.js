/** Photos as the page takes them in: upright, in sRGB, over white, their alpha beside them. */

import { Refusal } from "./refusal.js";
import { toPlanes } from "./pixels.js";

const THUMBNAIL = 160; // pixels

/**
 * Decode a file.
 * @returns {Promise<{planes: Float32Array, size: [number, number], alpha: Uint8Array|null, was: [number, number]}>} size: height and width;
 *   was: those of the file, where it was made smaller so that no side is longer than `most`.
 */
export async function decoded(blob, most) {
  const bitmap = await opened(blob);
  const was = [bitmap.height, bitmap.width];
  const scale = Math.min(1, most / Math.max(...was));
  const size = was.map((side) => Math.max(1, Math.round(side * scale)));
  return { ...drawn(bitmap, size), size, was };
}

/** The same at a size of its own. */
export async function decodedAt(blob, size) {
  return { ...drawn(await opened(blob), size), size };
}

async function opened(blob) {
  try {
    return await createImageBitmap(blob); // by its orientation in EXIF and its colour profile
  } catch {
    throw new Refusal("this is no picture that the browser can read, or it is damaged.");
  }
}

function drawn(bitmap, [height, width]) {
  const over = canvasOf(bitmap, width, height, "white").getImageData(0, 0, width, height).data;
  const alone = canvasOf(bitmap, width, height).getImageData(0, 0, width, height).data;
  bitmap.close();
  const alpha = alone.filter((_, at) => at % 4 === 3);
  return { planes: toPlanes(over, width, height), alpha: alpha.every((a) => a === 255) ? null : alpha };
}

function canvasOf(bitmap, width, height, paper = null) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  context.imageSmoothingQuality = "high";
  if (paper) {
    context.fillStyle = paper;
    context.fillRect(0, 0, width, height);
  }
  context.drawImage(bitmap, 0, 0, width, height);
  return context;
}

/** A small picture of pixels, for lists. */
export async function thumbnail(pixels, [height, width]) {
  const scale = Math.min(1, THUMBNAIL / Math.max(height, width));
  const [high, wide] = [height, width].map((side) => Math.max(1, Math.round(side * scale)));
  const bitmap = await createImageBitmap(new ImageData(pixels, width, height));
  const context = canvasOf(bitmap, wide, high);
  bitmap.close();
  return context.canvas.convertToBlob({ type: "image/png" });
}
