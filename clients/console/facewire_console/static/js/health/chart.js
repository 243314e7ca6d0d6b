// A line of times as a drawing, and in words for a screen reader.
import { html } from "../../vendor/htm-preact.js";

const [WIDTH, HEIGHT, PAD] = [600, 150, 8];

/** The value below which a share of the values lies. */
export function quantile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** The smallest round number that is not below a value: 1, 2 or 5 with zeros. */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

/** The drawing of `points`, `{at, ms}` each; `ms` null is a gap. */
export function Chart({ points, label }) {
  const there = points.filter((point) => point.ms !== null);
  if (there.length < 2) return html`<p class="soft small chart-empty">Waiting for numbers…</p>`;
  const values = there.map((point) => point.ms);
  const top = roundUp(Math.max(...values));
  const [first, last] = [points[0].at, points.at(-1).at];
  const x = (at) => PAD + ((WIDTH - 2 * PAD) * (at - first)) / Math.max(1, last - first);
  const y = (ms) => HEIGHT - PAD - ((HEIGHT - 2 * PAD) * ms) / top;
  let path = "";
  let isOpen = false;
  for (const { at, ms } of points) {
    if (ms !== null) path += `${isOpen ? "L" : "M"}${x(at).toFixed(1)} ${y(ms).toFixed(1)}`;
    isOpen = ms !== null;
  }
  const half = quantile(values, 0.5);
  const text = `${label}: half below ${Math.round(half)} ms, the slowest ${Math.round(Math.max(...values))} ms`;
  return html`
    <figure class="chart">
      <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${text}>
        ${[0, 0.5, 1].map((part) => html`<path key=${part} class="grid" d=${`M${PAD} ${y(part * top)}H${WIDTH - PAD}`} />`)}
        <path class="area" d=${`${path}L${x(there.at(-1).at).toFixed(1)} ${y(0)}L${x(there[0].at).toFixed(1)} ${y(0)}Z`} />
        <path class="line" d=${path} />
      </svg>
      <span class="chart-top" aria-hidden="true">${top} ms</span>
      <figcaption class="small soft">
        half below <strong>${Math.round(half)} ms</strong> · nine of ten below <strong>${Math.round(quantile(values, 0.9))} ms</strong>
      </figcaption>
    </figure>`;
}
