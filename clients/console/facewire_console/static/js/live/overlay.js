// Draws boxes and names over a picture.
import { whoIs } from "../words.js";

const COLORS = {
  known: ["#5fe3a8", "#06231a"],
  unknown: ["#ffc06b", "#2b1800"],
  ambiguous: ["#c9b6ff", "#1d1040"],
  too_poor: ["#c3c8cd", "#1a1c1e"],
  pending: ["#ffffff", "#1a1c1e"],
};
const EASE = 0.4; // Of the way that is left, in each drawing: boxes glide from result to result.
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

/** Where the boxes are drawn now, on their way to where the faces are. */
export class Overlay {
  #places = new Map();
  #canvas;

  constructor(canvas) {
    this.#canvas = canvas;
  }

  /** Draws tracks; `source` is the size of the pictures that the boxes are measured in. */
  draw(tracks, source, { mirrored = false, glides = true } = {}) {
    const canvas = this.#canvas;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const scale = Math.min(width / source.width, height / source.height);
    const [left, top] = [(width - source.width * scale) / 2, (height - source.height * scale) / 2];
    const places = new Map();
    for (const { key, face } of tracks) {
      const { x_px, y_px, width_px, height_px } = face.box;
      const x = mirrored ? source.width - x_px - width_px : x_px;
      const target = [left + x * scale, top + y_px * scale, width_px * scale, height_px * scale];
      const before = glides && !STILL.matches ? this.#places.get(key) : undefined;
      const place = before ? before.map((at, index) => at + EASE * (target[index] - at)) : target;
      places.set(key, place);
      drawFace(pen, face, place, { width, height });
    }
    this.#places = places;
  }
}

function drawFace(pen, face, [x, y, width, height], bounds) {
  const [color, ink] = COLORS[face.verdict] ?? COLORS.pending;
  const corner = Math.min(width, height) * 0.24;
  pen.lineCap = pen.lineJoin = "round";
  for (const [line, stroke] of [[5, "rgb(0 0 0 / .35)"], [2.5, color]]) {
    pen.lineWidth = line;
    pen.strokeStyle = stroke;
    pen.beginPath();
    for (const [cx, cy, dx, dy] of [[x, y, 1, 1], [x + width, y, -1, 1], [x + width, y + height, -1, -1], [x, y + height, 1, -1]]) {
      pen.moveTo(cx + dx * corner, cy);
      pen.arcTo(cx, cy, cx, cy + dy * corner, corner * 0.45);
      pen.lineTo(cx, cy + dy * corner);
    }
    pen.stroke();
  }
  const name = whoIs(face);
  const number = face.verdict === "known" ? face.similarity.toFixed(2) : "";
  pen.textBaseline = "middle";
  pen.font = "600 14px system-ui, sans-serif";
  const nameWidth = Math.min(pen.measureText(name).width, 260);
  const numberWidth = number ? 36 : 0;
  const [tag, tall] = [nameWidth + numberWidth + 20, 26];
  const tagX = Math.max(4, Math.min(bounds.width - tag - 4, x + width / 2 - tag / 2));
  const tagY = y + height + 8 + tall < bounds.height ? y + height + 8 : Math.max(4, y - tall - 8);
  pen.fillStyle = color;
  pen.beginPath();
  pen.roundRect(tagX, tagY, tag, tall, tall / 2);
  pen.fill();
  pen.fillStyle = ink;
  pen.fillText(name, tagX + 10, tagY + tall / 2 + 0.5, 260);
  if (number) {
    pen.globalAlpha = 0.75;
    pen.font = "500 12px system-ui, sans-serif";
    pen.fillText(number, tagX + 16 + nameWidth, tagY + tall / 2 + 0.5);
    pen.globalAlpha = 1;
  }
}
