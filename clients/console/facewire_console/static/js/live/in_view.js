// The people in view as a list, and in words for a screen reader.
import { html, useEffect, useRef, useState } from "../../vendor/htm-preact.js";
import { Avatar } from "../parts.js";
import { duration, faultWords, verdictWords, whoAsked, whoIs } from "../words.js";
import { Similarity } from "./similarity.js";

const COMPARED = new Set(["known", "unknown", "ambiguous"]);

function Row({ track, name, explain }) {
  const { face, since } = track;
  const fault = face.verdict === "too_poor" && face.quality.faults[0];
  const seconds = since ? ` · ${duration(performance.now() - since)}` : "";
  return html`
    <li class="in-view-row">
      <${Avatar} id=${face.identity_id} name=${face.name} />
      <div class="grow">
        <div class="row tight">
          <strong class="grow ellipsis">${whoIs(face)}</strong>
          ${name && face.verdict === "unknown" && html`
            <button type="button" class="link" onClick=${() => name(track)}>Name…</button>`}
          ${face.judgment && face.verdict !== "pending" && html`
            <button type="button" class="link" aria-label=${`Why ${whoAsked(face)}?`} onClick=${() => explain(face)}>Why?</button>`}
        </div>
        <div class="small soft">${COMPARED.has(face.verdict) ? `${face.similarity.toFixed(2)} similar` : fault ? faultWords(fault) : verdictWords(face.verdict)}${seconds}</div>
        ${COMPARED.has(face.verdict) && html`<${Similarity} ...${face} />`}
      </div>
    </li>`;
}

/** The list. `name(track)` begins to enroll an unknown person; null if that is not permitted. `explain(face)` shows why it was decided so. */
export function InView({ tracks, isOn, name, explain }) {
  return html`
    <section class="in-view card" aria-labelledby="in-view">
      <h2 id="in-view">In view${tracks.length > 0 && html` <span class="soft">${tracks.length}</span>`}</h2>
      ${tracks.length === 0
        ? html`<p class="soft small">${isOn ? "No face is in view." : "Faces are listed here once the picture runs."}</p>`
        : html`<ul>${tracks.map((track) => html`<${Row} key=${track.key} track=${track} name=${name} explain=${explain} />`)}</ul>`}
    </section>`;
}

/** Says who comes and goes: once for each verdict that is reached, however often it is drawn. */
export function Announcer({ tracks }) {
  const [text, setText] = useState("");
  const said = useRef(new Map());
  useEffect(() => {
    const now = new Map(tracks.filter(({ face }) => COMPARED.has(face.verdict)).map(({ key, face }) => [key, whoIs(face)]));
    const news = [...now].filter(([key, who]) => said.current.get(key) !== who).map(([, who]) => `${who} is in view.`);
    const gone = [...said.current].filter(([key]) => !tracks.some((track) => track.key === key)).map(([, who]) => `${who} has left.`);
    said.current = now;
    if (news.length || gone.length) setText([...news, ...gone].join(" "));
  }, [tracks]);
  return html`<p class="unseen" role="status">${text}</p>`;
}
