// Enrolls a person, or adds pictures to one: from the webcam, from files, or from a picture that another view has.
import { html, useEffect, useRef, useState } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { Dialog } from "../dialog.js";
import { notify } from "../notices.js";
import { Files, Icon, Problem, dropping } from "../parts.js";
import { cutOut } from "../pictures.js";
import { count, reasonWords } from "../words.js";
import { check, judged } from "./checked.js";
import { Tile } from "./tile.js";
import { WebcamPanel } from "./webcam_panel.js";

const MOST = 10; // Pictures of one request; API.md.
const SENT = new Set(["good", "poor"]);
let last = 0;

/** The dialog. `person` is the one to add to, or absent; `first` are pictures to begin with; `onDone()` comes after a change. */
export function Enroll({ gallery, person: given = null, first = [], onClose, onDone = () => {} }) {
  const [pictures, setPictures] = useState([]);
  const [person, setPerson] = useState(given);
  const [name, setName] = useState("");
  const [isWebcam, setIsWebcam] = useState(false);
  const [isOver, setIsOver] = useState(false);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const room = useRef(MOST);
  room.current = MOST - pictures.length;

  const change = (id, more) => setPictures((before) => before.map((each) => (each.id === id ? { ...each, ...more } : each)));
  const add = (blobs) => {
    const added = blobs.slice(0, room.current).map((blob) => ({ id: ++last, blob, state: "wait", words: "Checking…" }));
    if (added.length < blobs.length) setProblem(`At most ${MOST} pictures at a time.`);
    setPictures((before) => [...before, ...added]);
    for (const { id, blob } of added) check(blob, gallery).then((checked) => change(id, checked));
  };
  useEffect(() => add(first), []);

  const sent = pictures.filter((each) => SENT.has(each.state));
  const known = !person && sent.map((each) => each.known).find(Boolean);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const images = await Promise.all(sent.map(({ jpeg, faces, chosen }) => (faces.length > 1 ? cutOut(jpeg, faces[chosen].box) : jpeg)));
      const selection = sent.some(({ faces }) => faces.length > 1) ? "most_central" : undefined;
      const done = person
        ? await api.addTemplates(gallery, person.identity_id, { selection }, images)
        : await api.enroll(gallery, { name: name.trim(), selection }, images);
      onDone();
      finish(done);
    } catch (error) {
      setProblem(reasonWords(error));
      refuse(error.pictures ?? []);
    }
    setBusy(false);
  };
  const refuse = (outcomes) =>
    outcomes.forEach(({ accepted, refusal, detail }, index) => {
      if (!accepted) change(sent[index].id, { state: "bad", words: reasonWords({ reason: refusal, message: detail }) });
    });
  const finish = ({ identity, pictures: outcomes, accepted_count: accepted }) => {
    notify(person ? `${count(accepted, "picture")} added to ${identity.name}.` : `${identity.name} is enrolled.`);
    if (accepted === outcomes.length) return onClose();
    setPerson(identity);
    refuse(outcomes);
    const taken = new Set(sent.filter((each, index) => outcomes[index].accepted).map((each) => each.id));
    setPictures((before) => before.filter((each) => !taken.has(each.id)));
    return setProblem(`${count(outcomes.length - accepted, "picture")} refused; the others are enrolled.`);
  };

  const isWaiting = pictures.some((each) => each.state === "wait" || each.state === "choose");
  const ready = sent.length > 0 && !isWaiting && !busy && (person || name.trim());
  return html`
    <${Dialog} title=${person ? `Add pictures of ${person.name}` : "Enroll a person"} onClose=${onClose}>
      <form class="stack" onSubmit=${submit} ...${dropping(add, setIsOver)}>
        ${!person && html`
          <div><label for="enroll-name">Name</label>
            <input id="enroll-name" type="text" autocomplete="off" maxlength="100" autofocus required value=${name}
              onInput=${(event) => setName(event.target.value)} /></div>`}
        ${isWebcam && html`<${WebcamPanel} gallery=${gallery} take=${(blob) => add([blob])} />`}
        <div class=${`drop ${isOver ? "over" : ""}`}>
          ${!isWebcam && html`<p class="small soft">${pictures.length ? "Two or three pictures are better than one." : "Drop photos here: a face from the front, in good light."}</p>`}
          <div class="row">
            <${Files} accept="image/*" multiple onFiles=${add}><${Icon} name="file" />Choose photos<//>
            <button type="button" aria-pressed=${isWebcam} onClick=${() => setIsWebcam(!isWebcam)}>
              <${Icon} name="live" />${isWebcam ? "Close the webcam" : "Use the webcam"}</button>
          </div>
        </div>
        ${pictures.length > 0 && html`
          <ol class="tiles" aria-label="Pictures">
            ${pictures.map((picture, index) => html`
              <${Tile} key=${picture.id} picture=${picture} number=${index + 1}
                choose=${(face) => change(picture.id, judged(picture.faces, face))}
                remove=${() => setPictures((before) => before.filter((each) => each.id !== picture.id))} />`)}
          </ol>`}
        ${known && html`
          <p class="note good">This looks like ${known.name}, who is enrolled already.
            <button type="button" class="link" onClick=${() => setPerson(known)}>Add to ${known.name}</button></p>`}
        <${Problem} text=${problem} />
        <footer class="row">
          <span class="grow small soft">${sent.length > 0 && count(sent.length, "picture")}</span>
          <button type="button" onClick=${onClose}>Cancel</button>
          <button class="first" disabled=${!ready}>${busy ? "Enrolling…" : person ? "Add" : "Enroll"}</button>
        </footer>
      </form>
    <//>`;
}
