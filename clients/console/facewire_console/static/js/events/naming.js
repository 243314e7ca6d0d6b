// Names an unknown person: one step, from the pictures of all their visits.
import { html, useState } from "../../vendor/htm-preact.js";
import { api, unknownPictureAddress } from "../api.js";
import { Dialog } from "../dialog.js";
import { notify } from "../notices.js";
import { Problem } from "../parts.js";
import { count, date, reasonWords } from "../words.js";

const numbers = (most) => Array.from({ length: most }, (_, index) => index + 1);

/** The dialog. `onDone()` comes after an enrollment. */
export function Naming({ gallery, person, onClose, onDone }) {
  const [name, setName] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const { identity, pictures } = await api.nameUnknown(gallery, person.unknown_id, name.trim());
      const similar = pictures.map((each) => each.similar?.name).find(Boolean);
      notify(`${identity.name} is enrolled.${similar ? ` The pictures also resemble ${similar}.` : ""}`);
      onDone();
      onClose();
    } catch (error) {
      setProblem(reasonWords(error));
      setBusy(false);
    }
  };
  return html`
    <${Dialog} title="Name this person" onClose=${onClose}>
      <form class="stack" onSubmit=${submit}>
        <div><label for="unknown-name">Name</label>
          <input id="unknown-name" type="text" autocomplete="off" maxlength="100" autofocus required value=${name}
            onInput=${(event) => setName(event.target.value)} /></div>
        <p class="small soft">${count(person.visit_count, "visit")} since ${date(person.first_seen)}. Look whether all pictures show one person: the name is given to them all.</p>
        <ol class="tiles" aria-label="Pictures">
          ${numbers(person.picture_count).map((number) => html`
            <li class="tile" key=${number}><div class="tile-frame"><img class="tile-picture" src=${unknownPictureAddress(person.unknown_id, number, gallery)} alt=${`Picture ${number}`} /></div></li>`)}
        </ol>
        <${Problem} text=${problem} />
        <footer class="row">
          <span class="grow" />
          <button type="button" onClick=${onClose}>Cancel</button>
          <button class="first" disabled=${busy || !name.trim()}>${busy ? "Enrolling…" : "Enroll"}</button>
        </footer>
      </form>
    <//>`;
}
