// How quickly frames are recognized, and how many are not.
import { html } from "../../vendor/htm-preact.js";

const Number_ = ({ value, unit, label, title }) =>
  html`<div title=${title}><dt>${label}</dt><dd>${value}${unit && html`<span class="soft"> ${unit}</span>`}</dd></div>`;

/** The numbers below the picture. */
export function Numbers({ latencyMs, fps, shown, recognized }) {
  const skipped = Math.max(0, shown - recognized);
  const share = shown ? Math.round((100 * skipped) / shown) : 0;
  return html`
    <dl class="numbers card">
      <${Number_} label="Latency" value=${latencyMs === null ? "–" : Math.round(latencyMs)} unit=${latencyMs === null ? "" : "ms"}
        title="From sending a frame to its result" />
      <${Number_} label="Recognized" value=${fps.toFixed(1)} unit="frames/s" />
      <${Number_} label="Skipped" value=${skipped.toLocaleString("en")} unit=${`of ${shown.toLocaleString("en")} (${share} %)`}
        title="Frames that the picture had and that were not recognized: the server was busy with the ones before" />
    </dl>`;
}
