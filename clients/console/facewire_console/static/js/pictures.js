// Pictures in the browser: read, made smaller, cut around a face, encoded as JPEG.

const QUALITY = 0.9;
const MARGIN = 0.5; // Of the face's sides, around it: as large as the pictures of tracks that the server keeps.

/** Reads a picture upright. Rejects what the browser cannot read. */
export const read = (blob) => createImageBitmap(blob);

/** A canvas with a part of a source, at most `longest` pixels on its longer side. */
export function drawn(source, { x = 0, y = 0, width = source.width, height = source.height, longest = Infinity } = {}) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext("2d").drawImage(source, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Encodes a canvas. */
export const jpeg = (canvas, quality = QUALITY) =>
  new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture cannot be encoded."))), "image/jpeg", quality);
  });

/** The part of a picture around a face, within the picture. */
export function around(box, { width, height }) {
  const left = Math.max(0, box.x_px - MARGIN * box.width_px);
  const top = Math.max(0, box.y_px - MARGIN * box.height_px);
  const right = Math.min(width, box.x_px + (1 + MARGIN) * box.width_px);
  const bottom = Math.min(height, box.y_px + (1 + MARGIN) * box.height_px);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Cuts a face out of an encoded picture. */
export async function cutOut(blob, box) {
  const bitmap = await read(blob);
  const cut = await jpeg(drawn(bitmap, around(box, bitmap)), 0.95);
  bitmap.close();
  return cut;
}
