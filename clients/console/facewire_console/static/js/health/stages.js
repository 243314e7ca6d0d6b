// Where the server's time for a frame goes, as a bar of its stages.
import { html } from "../../vendor/htm-preact.js";

const STAGES = {
  queue_us: "waiting",
  decode_us: "decoding",
  detect_us: "finding faces",
  align_us: "aligning",
  embed_us: "embedding",
  match_us: "searching people",
};

/** The mean times of results, `{timings}` each. */
export function Stages({ results }) {
  const mean = (stage) => results.reduce((sum, { timings }) => sum + timings[stage], 0) / results.length / 1000;
  const parts = Object.entries(STAGES).map(([stage, words]) => ({ stage, words, ms: mean(stage) }));
  const all = parts.reduce((sum, { ms }) => sum + ms, 0) || 1;
  let at = 0;
  const bars = parts.map(({ stage, ms }) => {
    const bar = html`<rect key=${stage} class=${stage} x=${at} width=${(100 * ms) / all} height="10" />`;
    at += (100 * ms) / all;
    return bar;
  });
  return html`
    <div class="stages">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">${bars}</svg>
      <ul>
        ${parts.map(({ stage, words, ms }) => html`
          <li key=${stage}><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class=${stage} width="10" height="10" rx="3" /></svg>
            ${words}<span class="soft">${ms.toFixed(1)} ms</span></li>`)}
      </ul>
    </div>`;
}
