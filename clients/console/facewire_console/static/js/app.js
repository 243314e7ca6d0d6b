// The page's frame: sign in, links to the views, the choice of the gallery.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { api, onSignedOut } from "./api.js";
import { Events } from "./events/view.js";
import { Health } from "./health/view.js";
import { Live } from "./live/view.js";
import { Notices } from "./notices.js";
import { Empty, Icon } from "./parts.js";
import { People } from "./people/view.js";
import { SignIn } from "./sign_in.js";
import { isServing, useStatus } from "./status.js";

const VIEWS = {
  live: { title: "Live", view: Live },
  people: { title: "People", view: People },
  events: { title: "Events", view: Events },
  health: { title: "Health", view: Health },
};
const GALLERY = "facewire.gallery";

/** The view that the address names; the first one if it names none. */
function useRoute() {
  const read = () => (location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "live");
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const changed = () => setRoute(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}

function Lamp({ status, problem }) {
  if (!status && !problem) return html`<span class="lamp">Connecting…</span>`;
  if (problem) return html`<span class="lamp bad">No console</span>`;
  if (!status.server.reachable) {
    const isShutOut = status.server.error?.reason === "TOKEN_REQUIRED"; // the console's own token
    return html`<span class="lamp bad">${isShutOut ? "No access" : "No server"}</span>`;
  }
  return isServing(status) ? html`<span class="lamp good">Serving</span>` : html`<span class="lamp bad">Not serving</span>`;
}

function Rail({ route, status, problem, gallery, setGallery, signOut }) {
  const galleries = status?.galleries ?? [];
  return html`
    <header class="rail">
      <div class="wordmark"><img src="icon.svg" alt="" />facewire</div>
      <nav aria-label="Views">
        <ul>
          ${Object.entries(VIEWS).map(([name, { title }]) => html`
            <li key=${name}>
              <a href=${`#${name}`} aria-current=${name === route ? "page" : undefined}><${Icon} name=${name} />${title}</a>
            </li>`)}
        </ul>
      </nav>
      <div class="rail-foot">
        ${galleries.length > 1 && html`
          <select aria-label="Gallery" value=${gallery} onChange=${(event) => setGallery(event.target.value)}>
            ${galleries.map(({ gallery_id: id, name }) => html`<option key=${id} value=${id}>${name || id}</option>`)}
          </select>`}
        <${Lamp} status=${status} problem=${problem} />
        ${signOut && html`<button type="button" class="link" onClick=${signOut}>Sign out</button>`}
      </div>
    </header>`;
}

/** What is shown until the server was reached once. */
const Waiting = ({ title, why }) => html`
  <div class="view-head"><h1>${title}</h1></div>
  <${Empty} icon="health" title=${why ? "The server is away" : "Connecting…"}>${why && html`<p role="status">${why}</p>`}<//>`;

/** The whole page. */
export function App() {
  const route = useRoute();
  const [signedOut, setSignedOut] = useState(false);
  const [chosen, setChosen] = useState(() => sessionStorage.getItem(GALLERY) ?? undefined);
  const { status, seen, problem, history, refresh } = useStatus(chosen, !signedOut);
  const main = useRef(null);
  useEffect(() => onSignedOut(() => setSignedOut(true)), []);
  useEffect(() => {
    document.title = `${VIEWS[route].title} · facewire`;
    if (document.activeElement?.closest("nav")) main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [route]);
  if (signedOut) return html`<${SignIn} onSignedIn=${() => setSignedOut(false)} />`;
  const setGallery = (gallery) => {
    sessionStorage.setItem(GALLERY, gallery);
    setChosen(gallery);
  };
  const signOut = status?.login.required && (() => api.signOut().then(() => setSignedOut(true)));
  const skip = (event) => {
    event.preventDefault(); // the address names a view
    main.current.focus();
  };
  const gallery = chosen ?? status?.gallery_id;
  const revision = seen?.galleries.find(({ gallery_id: id }) => id === gallery)?.revision;
  const { view: View } = VIEWS[route];
  return html`
    <div class="frame">
      <a class="skip" href="#content" onClick=${skip}>Skip to the content</a>
      <${Rail} ...${{ route, status, problem, gallery, setGallery, signOut }} />
      <main id="content" ref=${main} tabindex="-1">
        ${route === "health" && html`<${Health} ...${{ status, problem, history }} />`}
        ${route !== "health" && (seen
          ? html`<${View} key=${`${route} ${gallery}`} ...${{ gallery, revision, refresh }} may=${seen.may} missing=${seen.missing} />`
          : html`<${Waiting} title=${VIEWS[route].title} why=${problem || status?.server.error?.message} />`)}
      </main>
      <${Notices} />
    </div>`;
}
