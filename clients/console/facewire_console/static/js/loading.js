// Loads a value for a view, and loads it again when asked.
import { useCallback, useEffect, useState } from "../vendor/htm-preact.js";
import { reasonWords } from "./words.js";

/**
 * Returns `{value, problem, reload, setValue}` of an asynchronous `load(signal)`; it is loaded again when `inputs` change.
 * A value that is there stays until the next one is.
 */
export function useLoaded(load, inputs) {
  const [value, setValue] = useState(null);
  const [problem, setProblem] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    load(stop.signal).then(
      (loaded) => {
        if (stop.signal.aborted) return;
        setValue(loaded);
        setProblem("");
      },
      (error) => stop.signal.aborted || setProblem(reasonWords(error)),
    );
    return () => stop.abort();
  }, [...inputs, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { value, problem, reload, setValue };
}
