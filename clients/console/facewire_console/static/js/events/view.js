// Events: who was seen when and where; unknown visitors can be named.
import { html, useEffect, useMemo, useRef, useState } from "../../vendor/htm-preact.js";
import { address, api, crop, cropAddress } from "../api.js";
import { useLoaded } from "../loading.js";
import { Avatar, Empty, Problem, Refused } from "../parts.js";
import { Enroll } from "../people/enroll.js";
import { clock, count, day, duration, reasonWords, whoIs } from "../words.js";
import { Correction } from "./correction.js";
import { UnknownPeople } from "./unknown.js";
import { byDay, merged, visitsOf } from "./visits.js";

const WHO = { all: "Everyone", known: "Known", unknown: "Unknown" };

/** The events of a gallery: those of the past, read again at each other `revision` of it, since people may have gone or been merged, and each new one as it happens. */
function useEvents(gallery, revision) {
  const [events, setEvents] = useState(new Map());
  const fresh = useRef([]); // what came since the past was asked for
  const load = (signal) => {
    fresh.current = [];
    return api.events(gallery, signal);
  };
  const { value, problem, reload } = useLoaded(load, [gallery, revision]);
  useEffect(() => {
    const source = new EventSource(address("api/events/stream", { gallery }));
    let wasOpen = false;
    source.onopen = () => {
      if (wasOpen) reload(); // what happened while the console was away
      wasOpen = true;
    };
    source.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      fresh.current.push(event);
      setEvents((known) => merged(known, [event]));
    };
    return () => source.close();
  }, [gallery]);
  useEffect(() => {
    if (value) setEvents(merged(new Map(), [...fresh.current, ...value.events]));
  }, [value]);
  return { events, isLoaded: Boolean(value), problem };
}

function Visit({ visit, gallery, seesCrops, name, correct, isCorrected }) {
  const isStranger = visit.verdict !== "known";
  const picture = isStranger && seesCrops && visit.crop ? cropAddress(visit.crop, gallery) : undefined;
  const times = visit.isHere ? `since ${clock(visit.from)}` : clock(visit.from, visit.to);
  return html`
    <li class="visit">
      <${Avatar} id=${visit.identity_id} name=${visit.name} picture=${picture} />
      <div class="grow">
        <strong class=${`verdict ${isStranger ? visit.verdict : ""}`}>${isStranger && visit.verdict === "unknown" ? "Unknown visitor" : whoIs(visit)}</strong>
        <div class="small soft">${visit.camera || "a camera without a name"}</div>
        ${visit.attack !== null && html`
          <div class="small soft" title="A low number does not say that a person was there.">Hint of a presentation attack (experimental): ${visit.attack.toFixed(2)} of 1</div>`}
      </div>
      ${name && picture && visit.verdict === "unknown" && html`
        <button type="button" onClick=${() => name(visit)} aria-label=${`Name the visitor of ${times}`}>Name…</button>`}
      ${correct && seesCrops && visit.crop && visit.verdict === "known" && (isCorrected
        ? html`<span class="small soft">Noted: not ${visit.name}</span>`
        : html`<button type="button" onClick=${() => correct(visit)} aria-label=${`This is not ${visit.name}, on the visit of ${times}`}>This is not ${visit.name}…</button>`)}
      <div class="visit-time">
        <div>${times}</div>
        <div class="small soft">${visit.isHere ? html`<span class="lamp good">here now</span>` : duration(visit.to - visit.from)}</div>
      </div>
    </li>`;
}

function Filters({ cameras, camera, setCamera, who, setWho }) {
  return html`
    <div class="row">
      <div class="switch" role="group" aria-label="Who">
        ${Object.entries(WHO).map(([value, words]) => html`
          <button type="button" key=${value} aria-pressed=${who === value} onClick=${() => setWho(value)}>${words}</button>`)}
      </div>
      ${cameras.length > 1 && html`
        <select aria-label="Camera" value=${camera} onChange=${(event) => setCamera(event.target.value)}>
          <option value="">All cameras</option>
          ${cameras.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}
        </select>`}
    </div>`;
}

/** The view, of what the console's token permits. */
export const Events = ({ may, missing, ...more }) =>
  may.watch_events ? html`<${Visits} ...${{ may, missing, ...more }} />` : html`<${Refused} title="Events" why=${missing.watch_events} />`;

function Visits({ gallery, revision, may, missing }) {
  const [camera, setCamera] = useState("");
  const [who, setWho] = useState("all");
  const [naming, setNaming] = useState(null);
  const [correcting, setCorrecting] = useState(null); // a visit
  const [corrected, setCorrected] = useState(new Set()); // visits, by their ids
  const [failure, setFailure] = useState("");
  const { events, isLoaded, problem } = useEvents(gallery, revision);
  const visits = useMemo(() => visitsOf(events), [events]);
  const cameras = [...new Set(visits.map((visit) => visit.camera))].filter(Boolean).sort();
  const shown = visits.filter((visit) => (!camera || visit.camera === camera) && (who === "all" || visit.verdict === who));
  const ended = useMemo(() => [...events.values()].filter(({ type, verdict }) => type === "ended" && verdict === "unknown").length, [events]);
  const hasStrangers = visits.some((visit) => visit.verdict === "unknown");
  const name = async (visit) => {
    try {
      setNaming(await crop(visit.crop, gallery));
      setFailure("");
    } catch (error) {
      setFailure(reasonWords(error));
    }
  };
  return html`
    <div class="view-head">
      <div><h1>Events</h1><p role="status">${isLoaded ? `${count(shown.length, "visit")} of the last day` : "Loading…"}</p></div>
      <${Filters} ...${{ cameras, camera, setCamera, who, setWho }} />
    </div>
    <${Problem} text=${problem || failure} />
    ${isLoaded && visits.length === 0 && html`
      <${Empty} icon="events" title="No person was seen yet"><p>Visits in front of every camera of the server are listed here, as they happen.</p><//>`}
    ${may.list_unknown && who !== "known" && html`<${UnknownPeople} ...${{ gallery, camera, may, ended }} />`}
    ${byDay(shown, day).map(([title, those]) => html`
      <section key=${title} aria-label=${title}>
        <h2 class="day">${title}</h2>
        <ul class="visits card">
          ${those.map((visit) => html`<${Visit} key=${visit.id} ...${{ visit, gallery, seesCrops: may.see_crops }} name=${may.enroll ? name : null}
            correct=${may.enroll ? setCorrecting : null} isCorrected=${corrected.has(visit.id)} />`)}
        </ul>
      </section>`)}
    ${hasStrangers && !may.see_crops && html`
      <p class="small soft">Unknown visitors have no picture to be named from: ${missing.see_crops ?? "the server keeps none."}</p>`}
    ${hasStrangers && !may.list_unknown && html`
      <p class="small soft">Visits of unknown people are not grouped by face: ${missing.list_unknown ?? "the server does not do it."}</p>`}
    ${correcting && html`
      <${Correction} gallery=${gallery} visit=${correcting} onDone=${() => setCorrected(new Set(corrected).add(correcting.id))}
        onClose=${() => setCorrecting(null)} />`}
    ${naming && html`<${Enroll} gallery=${gallery} first=${[naming]} onClose=${() => setNaming(null)} />`}`;
}
