// Makes two people who are one person into one: asks who stays, says what happens and how it is taken back.
import { html, useState } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { Confirm } from "../dialog.js";
import { notify } from "../notices.js";

/** The dialog; `people` are the two. `onDone(merged)` comes after the merge, with what `Merged` shows. */
export function Merging({ gallery, people, onClose, onDone }) {
  const [first, setFirst] = useState(true);
  const [stays, goes] = first ? people : [...people].reverse();
  const merge = async () => {
    const { identity, moved_template_ids: moved } = await api.merge(gallery, stays.identity_id, goes.identity_id);
    notify(`${goes.name} is merged into ${stays.name}.`);
    onDone({ person: identity, name: goes.name, moved });
  };
  return html`
    <${Confirm} title="Merge these two?" action="Merge" act=${merge} onClose=${onClose}>
      <fieldset class="choices">
        <legend>Who stays</legend>
        ${people.map((person, index) => html`
          <label key=${person.identity_id}>
            <input type="radio" name="stays" checked=${first === (index === 0)} onChange=${() => setFirst(index === 0)} />
            <span>${person.name} <code class="small soft">${person.identity_id}</code></span>
          </label>`)}
      </fieldset>
      <p>The pictures of ${goes.name} become those of ${stays.name}, and the other name and id are deleted. Past events of both are about ${stays.name}.</p>
      <p class="small soft">It can be taken back right after it, or later: open ${stays.name} and say of the pictures that were added that they are
        someone else. Past events stay with ${stays.name}.</p>
    <//>`;
}
