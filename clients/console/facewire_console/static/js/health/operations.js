// What runs behind the server's port: its workers, its models and their replicas, and how quickly frames are answered.
import { html, useEffect } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { useLoaded } from "../loading.js";
import { Fact } from "../parts.js";
import { count } from "../words.js";

const PERIOD_MS = 5000; // As long as the console keeps a page of metrics.

const ms = (value) => (value === null ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);

/** A name that may go on in another line after its slash, on a phone. */
const breakable = (name) => name.split("/").map((part, index) => (index ? html`/<wbr />${part}` : part));

function Models({ models }) {
  return html`
    <div class="table"><table>
      <thead><tr><th scope="col">Model</th><th scope="col">State</th><th scope="col">Replicas</th><th scope="col">Calls now</th><th scope="col">Mean call</th></tr></thead>
      <tbody>
        ${models.map((each) => html`
          <tr key=${each.servable}><th scope="row">${breakable(each.servable)}</th>
            <td><span class=${`lamp ${each.serves ? "good" : "bad"}`}>${each.serves ? "proven" : "not serving"}</span></td>
            <td>${each.replicas - each.left_out} of ${each.replicas}</td><td>${each.in_flight}</td><td>${ms(each.mean_call_ms)}</td></tr>`)}
      </tbody>
    </table></div>`;
}

function Numbers({ metrics: { workers, streams, slots, frames, models } }) {
  return html`
    <dl class="facts">
      <${Fact} label="Workers">${count(workers.count, "process", "processes")}${workers.deaths > 0 && ` · ${workers.deaths} died and ${workers.deaths === 1 ? "was" : "were"} replaced`}<//>
      <${Fact} label="Streams">${streams.open} of at most ${streams.most}<//>
      <${Fact} label="Pictures in work">${slots.in_use} of at most ${slots.count}<//>
      <${Fact} label="Frames">${frames.count > 0
        ? `half below ${ms(frames.half_below_ms)} · nine of ten below ${ms(frames.nine_of_ten_below_ms)} · of all cameras' last ${count(frames.count, "frame")}`
        : "none lately"}<//>
    </dl>
    <${Models} models=${models} />`;
}

/** The panel. */
export function Operations() {
  const { value, problem, reload } = useLoaded((signal) => api.metrics(signal), []);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), PERIOD_MS);
    return () => clearInterval(timer);
  }, []);
  const why = problem || value?.problem;
  return html`
    <div class="card panel wide operations">
      <h2>Workers and models</h2>
      ${why && html`<p class="note bad">${why}</p>`}
      ${!why && value?.metrics && html`<${Numbers} metrics=${value.metrics} />`}
      ${!why && value && !value.metrics && html`
        <p class="small soft">Only the server's page of metrics tells of them: start the server with <code>--metrics-listen</code>, and the console with <code>--server-metrics</code>.</p>`}
    </div>`;
}
