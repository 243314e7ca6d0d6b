// The latest results' times, kept while the page is open, so that Health can draw what Live has seen.

const KEPT = 200;
let kept = [];

/** Keeps one result: milliseconds from sending to the result, and the server's own times by stage, microseconds. */
export function keep(ms, timings) {
  kept = [...kept.slice(1 - KEPT), { at: Date.now(), ms, timings }];
}

/** The results that are kept, oldest first. */
export const latencies = () => kept;
