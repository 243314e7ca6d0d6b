// One picture that is to be enrolled: its faces to choose from, and what is wrong with it.
import { html, useEffect, useRef } from "../../vendor/htm-preact.js";
import { Icon } from "../parts.js";

function Preview({ canvas, label }) {
  const holder = useRef(null);
  useEffect(() => holder.current.replaceChildren(canvas), [canvas]);
  return html`<div class="tile-picture" ref=${holder} role="img" aria-label=${label} />`;
}

/** The faces of a picture, as buttons over it. */
function Choice({ picture, number, choose }) {
  const { canvas, faces, chosen } = picture;
  const part = (value, all) => `${(100 * value) / all}%`;
  return html`
    <div class="tile-faces" role="group" aria-label=${`Faces of picture ${number}`}>
      ${faces.map(({ box }, index) => html`
        <button type="button" key=${index} aria-pressed=${index === chosen} aria-label=${`Face ${index + 1}`} onClick=${() => choose(index)}
          style=${{ left: part(box.x_px, canvas.width), top: part(box.y_px, canvas.height), width: part(box.width_px, canvas.width), height: part(box.height_px, canvas.height) }} />`)}
    </div>`;
}

/** The tile. `choose(index)` chooses a face, `remove()` takes the picture away. */
export function Tile({ picture, number, choose, remove }) {
  const { canvas, faces = [], state, words } = picture;
  const wide = canvas && faces.length > 1 ? "wide" : "";
  return html`
    <li class=${`tile ${state} ${wide}`}>
      <div class="tile-frame" style=${canvas && wide ? { aspectRatio: `${canvas.width} / ${canvas.height}` } : {}}>
        ${canvas && html`<${Preview} canvas=${canvas} label=${`Picture ${number}`} />`}
        ${canvas && faces.length > 1 && html`<${Choice} ...${{ picture, number, choose }} />`}
        <button type="button" class="tile-remove" aria-label=${`Remove picture ${number}`} onClick=${remove}><${Icon} name="close" /></button>
      </div>
      <p class="small" role="status">${words}</p>
    </li>`;
}
