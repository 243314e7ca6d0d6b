// People: everyone in the gallery, to enroll, rename and forget.
import { html, useState } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { useLoaded } from "../loading.js";
import { Avatar, Empty, Icon, Problem, Refused, dropping } from "../parts.js";
import { count, date, reasonWords } from "../words.js";
import { Checkup } from "./checkup.js";
import { Enroll } from "./enroll.js";
import { Person } from "./person.js";

function Card({ person, open }) {
  return html`
    <li>
      <button type="button" class="person card" onClick=${open}>
        <${Avatar} id=${person.identity_id} name=${person.name} size="large" />
        <strong class="ellipsis">${person.name}</strong>
        <span class="small soft">${count(person.template_count, "picture")} · ${date(person.created_at)}</span>
      </button>
    </li>`;
}

/** The view, of what the console's token permits. */
export const People = ({ may, missing, ...more }) =>
  may.read_people ? html`<${Everyone} ...${{ may, ...more }} />` : html`<${Refused} title="People" why=${missing.read_people} />`;

function Everyone({ gallery, may, refresh }) {
  const [search, setSearch] = useState("");
  const [opened, setOpened] = useState(null);
  const [enrolling, setEnrolling] = useState(null); // pictures to begin with
  const [isChecking, setIsChecking] = useState(false);
  const [isOver, setIsOver] = useState(false);
  const [more, setMore] = useState({ people: [], token: null, problem: "" });
  const { value, problem, reload } = useLoaded((signal) => api.identities(gallery, undefined, signal), [gallery]);
  const changed = () => {
    setMore({ people: [], token: null, problem: "" });
    reload();
    refresh();
  };
  const next = more.token ?? value?.next_page_token;
  const showMore = async () => {
    try {
      const page = await api.identities(gallery, next);
      setMore({ people: [...more.people, ...page.identities], token: page.next_page_token, problem: "" });
    } catch (error) {
      setMore({ ...more, problem: reasonWords(error) });
    }
  };
  const people = [...(value?.identities ?? []), ...more.people];
  const wanted = search.trim().toLocaleLowerCase();
  const shown = people.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  const person = opened && people.find((each) => each.identity_id === opened);
  const drop = may.enroll ? dropping(setEnrolling, setIsOver) : {};
  return html`
    <div class=${`people ${isOver ? "over" : ""}`} ...${drop}>
      <div class="view-head">
        <div><h1>People</h1><p role="status">${value ? `${count(value.total ?? people.length, "person", "people")} in ${gallery}` : "Loading…"}</p></div>
        <div class="row">
          ${people.length > 1 && html`<input type="search" aria-label="Find a person by name" placeholder="Find by name" value=${search} onInput=${(event) => setSearch(event.target.value)} />`}
          ${may.check_gallery && people.length > 0 && html`
            <button type="button" aria-expanded=${isChecking} onClick=${() => setIsChecking(!isChecking)}><${Icon} name="health" />Check</button>`}
          ${may.enroll && html`<button type="button" class="first" onClick=${() => setEnrolling([])}><${Icon} name="plus" />Enroll a person</button>`}
        </div>
      </div>
      <${Problem} text=${problem || more.problem} />
      ${isChecking && html`<${Checkup} ...${{ gallery, may }} onChange=${changed} onClose=${() => setIsChecking(false)} />`}
      ${value && people.length === 0 && html`
        <${Empty} icon="people" title="No one is enrolled yet">
          <p>Enroll a person with the webcam, or drop photos here. From the next frame on every camera recognizes them.</p>
        <//>`}
      ${people.length > 0 && shown.length === 0 && html`<p class="soft">No name has “${search}” in it.</p>`}
      <ul class="people-grid">${shown.map((each) => html`<${Card} key=${each.identity_id} person=${each} open=${() => setOpened(each.identity_id)} />`)}</ul>
      ${next && html`<div class="row center"><button type="button" onClick=${showMore}>Show more</button></div>`}
    </div>
    ${person && html`<${Person} ...${{ gallery, person, may }} key=${opened} onChange=${changed} onClose=${() => setOpened(null)} />`}
    ${enrolling && html`<${Enroll} gallery=${gallery} first=${enrolling} onDone=${changed} onClose=${() => setEnrolling(null)} />`}`;
}
