// What a merge has changed that is to be looked at, and the way to take it back.
import { html, useState } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { Problem } from "../parts.js";
import { count, reasonWords } from "../words.js";
import { Splitting } from "./splitting.js";

/** The last merge: `person` is who stayed, `name` that of who went, `moved` the ids of the pictures. `onBack()` comes once it is taken back. */
export function Merged({ gallery, may, merged: { person, name, moved }, look, onBack }) {
  const [templates, setTemplates] = useState(null); // while it is taken back
  const [problem, setProblem] = useState("");
  const examples = person.negative_example_count;
  const takeBack = async () => {
    try {
      setTemplates((await api.templates(gallery, person.identity_id)).templates);
      setProblem("");
    } catch (error) {
      setProblem(reasonWords(error));
    }
  };
  return html`
    <section aria-label="The last merge">
      ${examples > 0 && html`
        <p>${count(examples, "face")} ${examples === 1 ? "is" : "are"} noted as not ${person.name}. One that shows ${person.name} takes the name away: look
          at them, and take it back.
          ${" "}<button type="button" class="link" onClick=${() => look(person)}>Look at the faces that are not ${person.name}</button></p>`}
      ${may.split && moved.length > 0 && html`
        <p>Was ${name} someone else? <button type="button" class="link" onClick=${takeBack}>Take it back…</button></p>`}
      <${Problem} text=${problem} />
    </section>
    ${templates && html`
      <${Splitting} ...${{ gallery, person, templates }} first=${moved} called=${name} onDone=${onBack} onClose=${() => setTemplates(null)} />`}`;
}
