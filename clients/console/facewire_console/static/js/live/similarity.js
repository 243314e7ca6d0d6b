// A meter: how similar a face is to the best person of the gallery, beside what is asked for.
import { html } from "../../vendor/htm-preact.js";

/** The meter of a face that was compared. */
export function Similarity({ similarity, threshold, verdict }) {
  const part = Math.max(0, Math.min(1, similarity));
  return html`
    <svg class=${`similarity ${verdict}`} viewBox="0 0 100 6" preserveAspectRatio="none" role="img"
      aria-label=${`Similarity ${similarity.toFixed(2)}, ${threshold.toFixed(2)} is asked for`}>
      <rect class="all" width="100" height="6" />
      <rect class="part" width=${part * 100} height="6" />
      <rect class="asked" x=${threshold * 100 - 0.6} width="1.2" height="6" />
    </svg>`;
}
