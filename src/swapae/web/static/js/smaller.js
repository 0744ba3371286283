/** Photos far larger than any that a model has learnt from come out wrong: smaller copies of them. */

const FAR = 2; // times the side a model has learnt from, as `swapae swap` says so
const FIT = 1.5; // of a copy's short side

/** Whether a photo `{width, height}` is far larger than the pictures of `side` × `side` that a model knows. */
export function isFar({ width, height }, side) {
  return Boolean(side) && Math.min(width, height) > FAR * side;
}

/**
 * Make a copy of a photo that a model of `side` × `side` can do with.
 * @returns {Promise<File>} a PNG, upright, of the same name; fails where this browser cannot read the photo.
 */
export async function smallerCopy(file, side) {
  const whole = await createImageBitmap(file);
  const factor = (FIT * side) / Math.min(whole.width, whole.height);
  const canvas = new OffscreenCanvas(Math.round(whole.width * factor), Math.round(whole.height * factor));
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(whole, 0, 0, canvas.width, canvas.height);
  whole.close();
  return new File([await canvas.convertToBlob({ type: "image/png" })], file.name ?? "", { type: "image/png" });
}
