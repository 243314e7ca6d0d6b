// The faces that were taken for a person and are not this person: listed, and taken back.
import { html } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { useLoaded } from "../loading.js";
import { Icon, Problem } from "../parts.js";
import { date } from "../words.js";

/** The list. `takeBack(id)` deletes one, and returns a promise; false if that is not permitted. */
export function NegativeExamples({ gallery, person, takeBack }) {
  const { identity_id: id, name, negative_example_count: many } = person;
  const { value, problem, reload } = useLoaded((signal) => api.negativeExamples(gallery, id, signal), [id, many]);
  return html`
    <section aria-labelledby="negatives">
      <h3 id="negatives">Not ${name}</h3>
      <p class="small soft">Faces that were taken for ${name}. Who is nearer to one of them than to ${name} does not get the name.</p>
      <ul class="templates">
        ${(value?.negative_examples ?? []).map(({ negative_example_id: example, quality, created_at: at, source }, index) => html`
          <li key=${example}>
            <div class="grow">
              <div>Face ${index + 1}${source && html` <span class="soft ellipsis">${source}</span>`}</div>
              <div class="small soft">${date(at)} · ${Math.round(quality.inter_eye_px)} px between the eyes</div>
            </div>
            ${takeBack && html`
              <button type="button" class="bare" aria-label=${`Take back face ${index + 1}`} onClick=${() => takeBack(example).then(reload)}><${Icon} name="trash" /></button>`}
          </li>`)}
      </ul>
      <${Problem} text=${problem} />
    </section>`;
}
