// The evidence of a decision: why a face has a name or has none, as a dialog.
import { html } from "../../vendor/htm-preact.js";
import { Dialog } from "../dialog.js";
import { Fact } from "../parts.js";
import { count, whoAsked } from "../words.js";
import { errorWords, isCompared, passedOverWords, qualityWords, ruleWords, runnerUpWords, similarityWords, thresholdWords } from "./reasons.js";
import { Similarity } from "./similarity.js";

const sentences = (lines) => lines.map((line) => html`<p key=${line}>${line}</p>`);

/** The pictures whose mean was compared; in a stream the server does not say which they are. */
function Templates({ judgment: { template_ids: ids, template_count: many } }) {
  if (!many) return null;
  return html`
    <${Fact} label="Compared with">
      <p>${many === 1 ? "One picture of the person." : `The mean of ${count(many, "picture")} of the person that agree.`}</p>
      ${ids.length > 0 && html`
        <details><summary>${ids.length < many ? `The first ${ids.length} of their ids` : many === 1 ? "Its id" : "Their ids"}</summary>
          <ul>${ids.map((id) => html`<li key=${id}><code>${id}</code></li>`)}</ul>
        </details>`}
    <//>`;
}

/** The dialog: of a face as it was when it was opened. */
export function Evidence({ face, onClose }) {
  const compared = isCompared(face);
  const errors = errorWords(face);
  const passedOver = passedOverWords(face);
  const score = face.presentation_attack_score;
  return html`
    <${Dialog} title=${`Why “${whoAsked(face)}”?`} onClose=${onClose}>
      <p><strong class=${`verdict ${face.verdict}`}>${ruleWords(face)}</strong></p>
      <dl class="facts">
        ${compared && html`
          <${Fact} label="Similarity"><p>${similarityWords(face)}</p><${Similarity} ...${face} /><//>
          ${passedOver && html`<${Fact} label="Passed over"><p>${passedOver}</p><//>`}
          <${Fact} label="Next person"><p>${runnerUpWords(face)}</p><//>
          <${Fact} label="Threshold">${sentences(thresholdWords(face))}<//>
          ${errors.length > 0 && html`<${Fact} label="Errors (estimated)">${sentences(errors)}<//>`}
          <${Templates} judgment=${face.judgment} />`}
        <${Fact} label=${face.track_id ? "The face now" : "The face"}>${sentences(qualityWords(face))}<//>
        ${score !== null && html`
          <${Fact} label="Hint (experimental)">
            <p>Presentation attack: ${score.toFixed(2)} of 1. Higher is more like a photograph, or a screen, that shows a face. No decision
              depends on it, and a low number does not say that a person is there: never let it open a door.</p>
          <//>`}
      </dl>
    <//>`;
}
