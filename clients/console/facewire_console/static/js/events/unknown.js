// Unknown people: the visits of one face are one person, who can be named from all their pictures, or forgotten.
import { html, useEffect, useState } from "../../vendor/htm-preact.js";
import { api, unknownPictureAddress } from "../api.js";
import { Confirm } from "../dialog.js";
import { useLoaded } from "../loading.js";
import { notify } from "../notices.js";
import { Avatar, Icon, Problem } from "../parts.js";
import { clock, count, day } from "../words.js";
import { Naming } from "./naming.js";

const FIRST = 6; // People that are shown before all of them are asked for. Chosen, not measured.
const KEPT_MS = 1500; // After the end of a visit, until the server has kept it. Chosen, not measured.

const seen = (person) => `${day(Date.parse(person.last_seen))}, ${clock(Date.parse(person.last_seen))}`;

function Row({ gallery, person, may, name, forget }) {
  const picture = may.name_unknown && person.picture_count > 0 ? unknownPictureAddress(person.unknown_id, 1, gallery) : undefined;
  const who = `the person of ${count(person.visit_count, "visit")}, last seen ${seen(person)}`;
  return html`
    <li class="visit">
      <${Avatar} picture=${picture} />
      <div class="grow">
        <strong>${count(person.visit_count, "visit")}</strong>
        <div class="small soft">${person.cameras.filter(Boolean).join(", ") || "a camera without a name"}</div>
      </div>
      <div class="visit-acts">
        ${picture && html`<button type="button" onClick=${name} aria-label=${`Name ${who}`}>Name…</button>`}
        ${may.forget_unknown && html`<button type="button" class="bare" onClick=${forget} aria-label=${`Forget ${who}`}><${Icon} name="trash" /></button>`}
      </div>
      <div class="visit-time">
        <div>${clock(Date.parse(person.last_seen))}</div>
        <div class="small soft">last seen ${day(Date.parse(person.last_seen))}</div>
      </div>
    </li>`;
}

/** The list; `ended` is the number of visits of unknown people that have ended: it is loaded again when that changes. */
export function UnknownPeople({ gallery, camera, may, ended }) {
  const [all, setAll] = useState(false);
  const [naming, setNaming] = useState(null);
  const [forgetting, setForgetting] = useState(null); // a person, or "all"
  const { value, problem, reload } = useLoaded((signal) => api.unknown(gallery, signal), [gallery]);
  useEffect(() => {
    const timer = setTimeout(reload, KEPT_MS);
    return () => clearTimeout(timer);
  }, [ended]);
  const people = (value?.people ?? []).filter(({ cameras }) => !camera || cameras.includes(camera));
  const forget = async () => {
    if (forgetting === "all") await api.forgetAllUnknown(gallery);
    else await api.forgetUnknown(gallery, forgetting.unknown_id);
    notify(forgetting === "all" ? "The unknown people are forgotten." : "The unknown person is forgotten.");
    setForgetting(null);
    reload();
  };
  return html`
    <${Problem} text=${problem} />
    ${people.length > 0 && html`
      <section aria-labelledby="unknown-people">
        <div class="row day">
          <h2 id="unknown-people">${count(people.length, "unknown person", "unknown people")}</h2>
          ${may.forget_unknown && !camera && html`<button type="button" class="link" onClick=${() => setForgetting("all")}>Forget all…</button>`}
        </div>
        <ul class="visits card" aria-labelledby="unknown-people">
          ${(all ? people : people.slice(0, FIRST)).map((person) => html`
            <${Row} key=${person.unknown_id} ...${{ gallery, person, may }} name=${() => setNaming(person)} forget=${() => setForgetting(person)} />`)}
        </ul>
        ${!all && people.length > FIRST && html`<div class="row center"><button type="button" onClick=${() => setAll(true)}>Show all</button></div>`}
      </section>`}
    ${naming && html`<${Naming} ...${{ gallery, person: naming }} onDone=${reload} onClose=${() => setNaming(null)} />`}
    ${forgetting && html`
      <${Confirm} title=${forgetting === "all" ? "Forget all unknown people?" : "Forget this person?"} action="Forget" act=${forget} onClose=${() => setForgetting(null)}>
        <p>${forgetting === "all" ? "What is kept of everyone" : `What is kept of ${count(forgetting.visit_count, "visit")}`}, pictures and what identifies
          the face, will be erased. This cannot be undone.</p>
      <//>`}`;
}
