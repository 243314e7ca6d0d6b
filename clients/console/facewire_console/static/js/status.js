// The state of server and console, asked for again and again while the page is visible.
import { useCallback, useEffect, useState } from "../vendor/htm-preact.js";
import { api } from "./api.js";
import { reasonWords } from "./words.js";

const PERIOD_MS = 3000; // Chosen: a lamp that is three seconds old is true enough.
const KEPT = 100; // Five minutes.

/** Whether the server says that it takes calls. */
export const isServing = ({ server }) => server.reachable && server.serving.server;

/**
 * Returns `{status, seen, problem, history, refresh}`: the last status, the last one with a server that was there (a view stays
 * as it is while the server is away), what is wrong now, and the latest round trips as `{at, ms}`, `ms` null without a response.
 */
export function useStatus(gallery, active) {
  const [state, setState] = useState({ status: null, seen: null, problem: "", history: [] });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!active) return undefined;
    const stop = new AbortController();
    let timer = 0;
    const add = (change, ms) =>
      setState((before) => ({ ...before, ...change, history: [...before.history.slice(1 - KEPT), { at: Date.now(), ms }] }));
    const ask = async () => {
      const begun = performance.now();
      try {
        const status = await api.status(gallery, stop.signal);
        const seen = status.server.reachable ? { seen: status } : {};
        add({ status, ...seen, problem: "" }, performance.now() - begun);
      } catch (error) {
        if (stop.signal.aborted) return;
        add({ problem: reasonWords(error) }, null);
      }
      schedule();
    };
    const schedule = () => {
      clearTimeout(timer);
      if (!document.hidden && !stop.signal.aborted) timer = setTimeout(ask, PERIOD_MS);
    };
    document.addEventListener("visibilitychange", schedule);
    ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", schedule);
    };
  }, [gallery, active, turn]);
  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  return { ...state, refresh };
}
