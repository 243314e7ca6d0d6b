// Takes pictures with the webcam, and says while one looks into it whether a picture would be good.
import { html, useEffect, useRef, useState } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { Icon, Problem } from "../parts.js";
import { drawn, jpeg } from "../pictures.js";
import { close, openWebcam } from "../webcam.js";
import { judged } from "./checked.js";

const LONGEST_PX = 800; // Of the frames that are judged. Chosen: quick, and a face at arm's length has 200 px.
const PAUSE_MS = 250; // Between two judgements. Chosen: quicker advice cannot be followed.

const HINTS = {
  bad: "Look into the camera",
  choose: "Only one face should be in view",
  good: "Good: take the picture",
};

/** The panel. `take(blob)` receives each picture. */
export function WebcamPanel({ gallery, take }) {
  const video = useRef(null);
  const [hint, setHint] = useState({ state: "wait", words: "Opening the camera…" });
  const [problem, setProblem] = useState("");
  const grab = (longest) => {
    const { videoWidth: width, videoHeight: height } = video.current;
    return jpeg(drawn(video.current, { width, height, longest }), 0.95);
  };
  useEffect(() => {
    const stop = new AbortController();
    let stream = null;
    let timer = 0;
    const judge = async () => {
      try {
        const { faces } = await api.recognize(gallery, await grab(LONGEST_PX), stop.signal);
        const { state, words } = judged(faces, faces.length > 1 ? null : 0);
        setHint({ state, words: HINTS[state] ?? words });
        setProblem("");
      } catch (error) {
        if (stop.signal.aborted) return;
        setProblem(error.message);
      }
      if (!stop.signal.aborted) timer = setTimeout(judge, PAUSE_MS);
    };
    openWebcam().then(
      async (opened) => {
        stream = opened;
        if (stop.signal.aborted) return close(stream);
        video.current.srcObject = stream;
        await video.current.play();
        return judge();
      },
      (error) => setProblem(error.message),
    );
    return () => {
      stop.abort();
      clearTimeout(timer);
      close(stream);
    };
  }, [gallery]);
  const isReady = hint.state !== "wait";
  return html`
    <div class="webcam-panel">
      <div class=${`webcam-frame ${hint.state}`}>
        <video ref=${video} muted playsinline aria-label="The picture of the webcam" />
        <p class="webcam-hint" role="status">${hint.words}</p>
      </div>
      <${Problem} text=${problem} />
      <button type="button" class=${hint.state === "good" ? "first" : ""} disabled=${!isReady} onClick=${async () => take(await grab(Infinity))}>
        <${Icon} name="photo" />Take a picture
      </button>
    </div>`;
}
