// One person: name, templates, and the ways to change or forget them.
import { html, useState } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { Confirm, Dialog } from "../dialog.js";
import { useLoaded } from "../loading.js";
import { notify } from "../notices.js";
import { Avatar, Icon, Problem } from "../parts.js";
import { count, date, faultWords, reasonWords } from "../words.js";
import { Enroll } from "./enroll.js";
import { NegativeExamples } from "./negatives.js";
import { Splitting } from "./splitting.js";

function Templates({ templates, remove }) {
  return html`
    <ul class="templates">
      ${templates.map(({ template_id: id, quality, created_at: at, source }, index) => html`
        <li key=${id}>
          <div class="grow">
            <div>Picture ${index + 1}${source && html` <span class="soft ellipsis">${source}</span>`}</div>
            <div class="small soft">${date(at)} · ${Math.round(quality.inter_eye_px)} px between the eyes${quality.faults.length > 0 && ` · ${faultWords(quality.faults[0])}`}</div>
          </div>
          ${remove && templates.length > 1 && html`
            <button type="button" class="bare" aria-label=${`Delete picture ${index + 1}`} onClick=${() => remove(id)}><${Icon} name="trash" /></button>`}
        </li>`)}
    </ul>`;
}

/** The dialog of a person. `onChange()` comes after each change. */
export function Person({ gallery, person, may, onClose, onChange }) {
  const { identity_id: id } = person;
  const [name, setName] = useState(person.name);
  const [part, setPart] = useState(""); // "add", "split" or "forget"
  const [problem, setProblem] = useState("");
  const { value, problem: unread, reload } = useLoaded((signal) => api.templates(gallery, id, signal), [id]);
  const attempt = async (act, after) => {
    try {
      await act();
      setProblem("");
      after();
      onChange();
    } catch (error) {
      setProblem(reasonWords(error));
    }
  };
  const rename = (event) => {
    event.preventDefault();
    attempt(() => api.rename(gallery, id, name.trim()), () => notify(`Renamed to ${name.trim()}.`));
  };
  const forget = async () => {
    await api.forget(gallery, id);
    notify(`${person.name} is forgotten.`);
    onChange();
    onClose();
  };
  const done = () => {
    reload();
    onChange();
  };
  if (part === "add") {
    return html`<${Enroll} gallery=${gallery} person=${person} onDone=${done} onClose=${() => setPart("")} />`;
  }
  if (part === "split") {
    return html`<${Splitting} ...${{ gallery, person }} templates=${value.templates} onDone=${done} onClose=${() => setPart("")} />`;
  }
  if (part === "forget") {
    return html`
      <${Confirm} title=${`Forget ${person.name}?`} action="Forget" act=${forget} onClose=${() => setPart("")}>
        <p>${count(person.template_count, "template")} will be deleted. From the next frame on the person is unknown, and past events
          no longer name them. This cannot be undone.</p>
      <//>`;
  }
  const isRenamed = name.trim() && name.trim() !== person.name;
  return html`
    <${Dialog} title=${person.name} onClose=${onClose}>
      <div class="row">
        <${Avatar} id=${id} name=${person.name} size="large" />
        <div class="small soft">Enrolled ${date(person.created_at)}<br /><code>${id}</code></div>
      </div>
      ${may.rename && html`
        <form onSubmit=${rename}>
          <label for="person-name">Name</label>
          <div class="row tight">
            <input id="person-name" type="text" autocomplete="off" maxlength="100" required value=${name} onInput=${(event) => setName(event.target.value)} />
            <button disabled=${!isRenamed}>Rename</button>
          </div>
        </form>`}
      <section aria-labelledby="templates">
        <h3 id="templates">Templates</h3>
        <p class="small soft">Of a picture only what identifies the face is kept, never the picture.</p>
        ${value && html`<${Templates} templates=${value.templates}
          remove=${may.delete && ((template) => attempt(() => api.deleteTemplate(gallery, id, template), reload))} />`}
        ${may.split && value?.templates.length > 1 && html`
          <button type="button" class="link" onClick=${() => setPart("split")}>Some are someone else…</button>`}
      </section>
      ${person.negative_example_count > 0 && html`<${NegativeExamples} ...${{ gallery, person }}
        takeBack=${may.delete && ((example) => attempt(() => api.deleteNegativeExample(gallery, id, example), () => notify("The face is taken back.")))} />`}
      <${Problem} text=${problem || unread} />
      <footer>
        ${may.delete && html`<button type="button" class="danger" onClick=${() => setPart("forget")}><${Icon} name="trash" />Forget…</button>`}
        ${may.enroll && html`<button type="button" onClick=${() => setPart("add")}><${Icon} name="plus" />Add pictures</button>`}
      </footer>
    <//>`;
}
