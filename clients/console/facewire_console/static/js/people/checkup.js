// What in the gallery harms its recognition, each finding with the next step.
import { html, useState } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { Confirm } from "../dialog.js";
import { useLoaded } from "../loading.js";
import { notify } from "../notices.js";
import { Icon, Problem } from "../parts.js";
import { count, faultWords, reasonWords } from "../words.js";
import { Enroll } from "./enroll.js";
import { Merged } from "./merged.js";
import { Merging } from "./merging.js";
import { Person } from "./person.js";

const KINDS = {
  probable_double: ["Probably one person under two names", "Look at both. If they are one person, merge them: no picture is lost, and it can be taken back."],
  confusable: ["People who can be taken for each other", "Add good pictures of both."],
  left_out: ["Pictures that resemble their person too little", "They are not searched. If one shows another person, delete it."],
  disagreeing: ["Two pictures of a person that disagree", "Add a third picture: it shows which one is wrong. Delete that one."],
  poor_picture: ["People whose only picture is poor", "Add a better picture."],
  refused_template: ["Pictures that would be refused today as too poor", "They were imported, or added under other limits. Add a better picture, then delete the poor one."],
};
const GETS_PICTURES = new Set(["confusable", "disagreeing", "poor_picture", "refused_template"]);
const LOSES_A_PICTURE = new Set(["left_out", "refused_template"]);

/** What was measured, in words. */
function measured({ value, faults, resembled, resembled_similarity: similarity }) {
  if (faults.length > 0) return faults.map(faultWords).join(" · ");
  const other = resembled ? `, to ${resembled.name} ${similarity.toFixed(2)}` : "";
  return `cosine ${value.toFixed(2)}${other}`;
}

function Item({ kind, finding, may, look, add, remove, merge }) {
  const { people, template_ids: templates } = finding;
  const names = people.map(({ name }) => name).join(" and ");
  return html`
    <li class="finding">
      <div class="grow">
        <strong>${names}</strong>
        <div class="small soft">${measured(finding)}</div>
      </div>
      <div class="row">
        ${people.map((person) => html`<button type="button" key=${person.identity_id} onClick=${() => look(person)}>Look at ${person.name}</button>`)}
        ${may.enroll && GETS_PICTURES.has(kind) && people.map((person) => html`
          <button type="button" key=${`add ${person.identity_id}`} onClick=${() => add(person)}>Add pictures of ${person.name}</button>`)}
        ${may.merge && kind === "probable_double" && html`<button type="button" aria-label=${`Merge ${names}…`} onClick=${() => merge(people)}>Merge…</button>`}
        ${may.delete && LOSES_A_PICTURE.has(kind) && html`
          <button type="button" class="danger" onClick=${() => remove(people[0], templates[0], kind)}>Delete the picture…</button>`}
      </div>
    </li>`;
}

function Found({ kind, total, listed, ...acts }) {
  const [title, step] = KINDS[kind] ?? ["Something that this page does not know", "Ask the server's operator."];
  return html`
    <section aria-label=${title}>
      <h3>${title}: ${total.toLocaleString("en")}</h3>
      <p class="small soft">${step}${total > listed.length ? ` The worst ${listed.length} are listed.` : ""}</p>
      <ul class="findings">${listed.map((finding) => html`<${Item} key=${finding.template_ids.join(" ")} ...${{ kind, finding, ...acts }} />`)}</ul>
    </section>`;
}

/** The findings of a gallery. `onChange()` comes after each change. */
export function Checkup({ gallery, may, onChange, onClose }) {
  const { value, problem, reload } = useLoaded((signal) => api.checkup(gallery, signal), [gallery]);
  const [failure, setFailure] = useState("");
  const [opened, setOpened] = useState(null); // {what: "look" or "add", person}
  const [removed, setRemoved] = useState(null); // {person, template, kind}
  const [merging, setMerging] = useState(null); // two people
  const [merged, setMerged] = useState(null); // the last merge
  const changed = () => {
    onChange();
    reload();
  };
  const open = (what) => async ({ identity_id: id }) => {
    try {
      setOpened({ what, person: await api.identity(gallery, id) });
      setFailure("");
    } catch (error) {
      setFailure(reasonWords(error));
    }
  };
  const remove = async () => {
    await api.deleteTemplate(gallery, removed.person.identity_id, removed.template);
    notify("The picture is deleted.");
    setRemoved(null);
    changed();
  };
  const found = (value?.findings ?? []).filter(({ total }) => total > 0);
  const close = () => setOpened(null);
  return html`
    <section class="card checkup" aria-labelledby="checkup">
      <div class="row">
        <h2 id="checkup" class="grow">Check of the gallery</h2>
        <button type="button" class="bare" aria-label="Close the check" onClick=${onClose}><${Icon} name="close" /></button>
      </div>
      <p role="status">${value ? found.length === 0 && `Nothing was found among ${count(value.gallery.identity_count, "person", "people")}.` : !problem && "Comparing everyone with everyone…"}</p>
      <${Problem} text=${problem || failure} />
      ${found.map((each) => html`
        <${Found} key=${each.kind} ...${each} may=${may} look=${open("look")} add=${open("add")}
          remove=${(person, template, kind) => setRemoved({ person, template, kind })} merge=${setMerging} />`)}
      ${merged && html`<${Merged} key=${merged.moved.join(" ")} ...${{ gallery, may, merged }} look=${open("look")} onBack=${() => { setMerged(null); changed(); }} />`}
    </section>
    ${opened?.what === "look" && html`<${Person} ...${{ gallery, may, person: opened.person }} onChange=${changed} onClose=${close} />`}
    ${opened?.what === "add" && html`<${Enroll} ...${{ gallery, person: opened.person }} onDone=${changed} onClose=${close} />`}
    ${merging && html`
      <${Merging} gallery=${gallery} people=${merging} onClose=${() => setMerging(null)}
        onDone=${(done) => { setMerging(null); setMerged(done); changed(); }} />`}
    ${removed && html`
      <${Confirm} title=${`Delete this picture of ${removed.person.name}?`} action="Delete" act=${remove} onClose=${() => setRemoved(null)}>
        <p>${removed.kind === "left_out" ? "It resembles the person's other pictures too little. Delete it if it shows another person." : "It is too poor. Without any picture a person is not recognized, so add a better one before."} This cannot be undone.</p>
      <//>`}`;
}
