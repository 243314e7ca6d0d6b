// Pictures of a person that show someone else become those of a new person.
import { html, useState } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { Dialog } from "../dialog.js";
import { notify } from "../notices.js";
import { Problem } from "../parts.js";
import { count, date, reasonWords } from "../words.js";

const MOST = 1000; // Pictures of one split; API.md.

/** The dialog; `first` are the ids that are chosen when it opens, `called` is the name. `onDone()` comes after the split. */
export function Splitting({ gallery, person, templates, first = [], called = "", onClose, onDone }) {
  const [chosen, setChosen] = useState(new Set(first));
  const [name, setName] = useState(called);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const choose = (id) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await api.split(gallery, person.identity_id, [...chosen], name.trim());
      notify(`${count(chosen.size, "picture")} of ${person.name} ${chosen.size === 1 ? "is" : "are"} ${name.trim()}'s now.`);
      onDone();
      onClose();
    } catch (error) {
      setProblem(reasonWords(error));
      setBusy(false);
    }
  };
  const isReady = chosen.size > 0 && chosen.size < Math.min(templates.length, MOST + 1) && name.trim();
  return html`
    <${Dialog} title=${`Someone else among the pictures of ${person.name}`} onClose=${onClose}>
      <form class="stack" onSubmit=${submit}>
        <fieldset class="choices">
          <legend>Which pictures are someone else?</legend>
          ${templates.map(({ template_id: id, created_at: at, source }, index) => html`
            <label key=${id}>
              <input type="checkbox" checked=${chosen.has(id)} onChange=${() => choose(id)} />
              <span>Picture ${index + 1} <span class="small soft">${[source, date(at)].filter(Boolean).join(" · ")}</span></span>
            </label>`)}
        </fieldset>
        <div><label for="split-name">Their name</label>
          <input id="split-name" type="text" autocomplete="off" maxlength="100" required value=${name} onInput=${(event) => setName(event.target.value)} /></div>
        <p class="small soft">These pictures become those of a new person. At least one stays, and past events stay with ${person.name}: which of them showed
          the other person is not known. To take it back, merge the two: Check lists them if they are one person.</p>
        <${Problem} text=${problem} />
        <footer class="row">
          <span class="grow" />
          <button type="button" onClick=${onClose}>Cancel</button>
          <button class="first" disabled=${busy || !isReady}>Make a new person</button>
        </footer>
      </form>
    <//>`;
}
