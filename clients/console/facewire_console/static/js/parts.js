// Small parts of which the views are made.
import { html, useState } from "../vendor/htm-preact.js";
import { hue, initials } from "./words.js";

const PATHS = {
  live: "M4 8a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM17 11l4-2.5v7L17 13",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18.5 14.2a6.5 6.5 0 0 1 3 5.8",
  events: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7.5V12l3 2",
  health: "M3 12h4l2.5-6 4.5 12 2.5-6H21",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  file: "M12 16V5M7.5 9.5L12 5l4.5 4.5M5 19h14",
  stop: "M7 7h10v10H7z",
  photo: "M4 8a2 2 0 0 1 2-2h2l1.5-2h5L16 6h2a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM12 16a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  trash: "M5 7h14M10 11v6M14 11v6M7 7l1 12h8l1-12M9.5 7V4.5h5V7",
  stranger: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0",
};

/** A drawing that says nothing to a screen reader: the text beside it does. */
export const Icon = ({ name }) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

/** A person's initials on a color of their own: facewire keeps no pictures of people. A stranger has a picture, while one is kept, or a drawing. */
export function Avatar({ id, name, size = "", picture }) {
  const [isGone, setIsGone] = useState(false);
  const inside = picture && !isGone ? html`<img src=${picture} alt="" loading="lazy" onError=${() => setIsGone(true)} />` : id ? initials(name) : html`<${Icon} name="stranger" />`;
  return html`<span class=${`avatar ${size} ${id ? `hue-${hue(id)}` : ""}`} aria-hidden="true">${inside}</span>`;
}

/** What a view shows when it has nothing to show. */
export const Empty = ({ icon, title, children }) => html`
  <div class="empty card"><${Icon} name=${icon} /><h2>${title}</h2>${children}</div>`;

/** A view that the console's token does not permit, or that the server does not have, and why. */
export const Refused = ({ title, why }) => html`
  <div class="view-head"><h1>${title}</h1></div>
  <${Empty} icon="stranger" title="This cannot be shown"><p>${why ?? "The server does not permit it."}</p><//>`;

/** What went wrong, if anything did; a screen reader reads it at once. */
export const Problem = ({ text }) => html`<div role="alert">${text && html`<p class="note bad">${text}</p>`}</div>`;

/** A row of a list of facts. */
export const Fact = ({ label, children }) => html`<div><dt>${label}</dt><dd>${children}</dd></div>`;

/** A button that opens the system's choice of files. */
export function Files({ accept, multiple = false, onFiles, className = "", children }) {
  const choose = (event) => event.currentTarget.nextElementSibling.click();
  const chosen = (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    if (files.length) onFiles(files);
  };
  return html`
    <button type="button" class=${className} onClick=${choose}>${children}</button>
    <input type="file" hidden accept=${accept} multiple=${multiple} onChange=${chosen} />`;
}

/** The properties of an element on which files can be dropped. */
export function dropping(onFiles, setOver) {
  return {
    onDragOver: (event) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event) => {
      if (!event.currentTarget.contains(event.relatedTarget)) setOver(false);
    },
    onDrop: (event) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer.files.length) onFiles([...event.dataTransfer.files]);
    },
  };
}
