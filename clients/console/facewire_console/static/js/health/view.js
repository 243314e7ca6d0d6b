// Health: whether everything works, and how quickly.
import { html, useEffect, useState } from "../../vendor/htm-preact.js";
import { latencies } from "../latencies.js";
import { Fact } from "../parts.js";
import { count } from "../words.js";
import { Chart } from "./chart.js";
import { Operations } from "./operations.js";
import { Stages } from "./stages.js";

const PERIOD_MS = 1000;
const SERVICES = { server: "Server", recognition: "Recognition", galleries: "Galleries" };
const FEATURES = {
  TRACKS: "Follows faces",
  WATCH_TRACKS: "Events of all cameras",
  RESUME: "Resumes streams",
  EVENTS_ONLY: "Events without results",
  TRACK_CROPS: "Keeps best pictures",
};

/** The results that Live has had, read again every second. */
function useLatencies() {
  const [results, setResults] = useState(latencies());
  useEffect(() => {
    const timer = setInterval(() => setResults(latencies()), PERIOD_MS);
    return () => clearInterval(timer);
  }, []);
  return results;
}

function Services({ server, problem }) {
  const is = (service) => !problem && server?.reachable && server.serving[service];
  return html`
    <ul class="services">
      <li class="card"><span class=${`lamp ${problem ? "bad" : "good"}`}>Console</span><strong>${problem ? "away" : "serving"}</strong></li>
      ${Object.entries(SERVICES).map(([service, words]) => html`
        <li class="card" key=${service}><span class=${`lamp ${is(service) ? "good" : "bad"}`}>${words}</span>
          <strong>${is(service) ? "serving" : server?.reachable && !problem ? "not serving" : "away"}</strong></li>`)}
    </ul>`;
}

function Galleries({ galleries }) {
  return html`
    <div class="card panel wide">
      <h2>Galleries</h2>
      <div class="table"><table>
        <thead><tr><th scope="col">Gallery</th><th scope="col">People</th><th scope="col">Templates</th><th scope="col">Threshold</th></tr></thead>
        <tbody>
          ${galleries.map((each) => html`
            <tr key=${each.gallery_id}><th scope="row">${each.name || each.gallery_id}</th><td>${each.identity_count.toLocaleString("en")}</td>
              <td>${each.template_count.toLocaleString("en")}</td><td>${each.threshold.toFixed(3)}</td></tr>`)}
        </tbody>
      </table></div>
    </div>`;
}

function About({ status: { console: self, server, limits } }) {
  return html`
    <div class="card panel">
      <h2>Server</h2>
      <dl class="facts">
        <${Fact} label="Address"><code>${server.address}</code><//>
        <${Fact} label="Version">${server.version ?? "unknown"} · console ${self.version}<//>
        <${Fact} label="Model">${server.model_contract_name ?? "unknown"}<br /><code class="soft">${server.model_contract_id?.slice(0, 16)}</code><//>
        ${limits && html`<${Fact} label="Largest picture">${(limits.max_pixels / 1e6).toFixed(0)} megapixels, ${(limits.max_image_bytes / 2 ** 20).toFixed(0)} MiB<//>
          <${Fact} label="Faces of a picture">at most ${limits.max_faces}<//>`}
        <${Fact} label="It can">
          ${(server.features ?? []).filter((each) => each in FEATURES).map((each) => FEATURES[each]).join(", ") || "recognize"}<//>
      </dl>
    </div>`;
}

/** The view. */
export function Health({ status, problem, history }) {
  const results = useLatencies();
  const server = status?.server;
  return html`
    <div class="view-head"><div><h1>Health</h1><p>Whether everything works, and how quickly.</p></div></div>
    ${(problem || server?.error) && html`<p class="note bad" role="alert">${problem || server.error.message}</p>`}
    <${Services} server=${server} problem=${problem} />
    <div class="panels">
      <div class="card panel">
        <h2>Console and server</h2>
        <p class="small soft">Round trips of a question about the state, in the last minutes.</p>
        <${Chart} points=${history} label="Round trips" />
      </div>
      <div class="card panel">
        <h2>Frames</h2>
        ${results.length < 2
          ? html`<p class="small soft">Begin a stream in <a href="#live">Live</a>: the time from each frame to its result is drawn here.</p>`
          : html`<p class="small soft">From sending to the result: the last ${count(results.length, "frame")} of Live.</p>
              <${Chart} points=${results.map(({ ms }, at) => ({ at, ms }))} label="Frames" />`}
      </div>
      ${results.length > 1 && html`<div class="card panel"><h2>The server's part</h2>
        <p class="small soft">The mean time of its stages for a frame; stages overlap.</p><${Stages} results=${results} /></div>`}
      <${Operations} />
      ${status && html`<${About} status=${status} /><${Galleries} galleries=${status.galleries} />`}
    </div>`;
}
