// Live: a webcam, a film or a picture, with boxes and names over it.
import { html, useEffect, useRef, useState } from "../../vendor/htm-preact.js";
import { api } from "../api.js";
import { Files, Icon, Problem, Refused, dropping } from "../parts.js";
import { Enroll } from "../people/enroll.js";
import { cutOut, drawn, jpeg, read } from "../pictures.js";
import { close, openWebcam, webcams } from "../webcam.js";
import { reasonWords } from "../words.js";
import { Evidence } from "./evidence.js";
import { InView, Announcer } from "./in_view.js";
import { Numbers } from "./numbers.js";
import { Overlay } from "./overlay.js";
import { Player } from "./player.js";

const NOTHING = { tracks: [], latencyMs: null, fps: 0, shown: 0, recognized: 0, problem: "" };
const LONGEST_PX = 2560; // Of a picture that is recognized. Chosen: far above what improves a result, far below the server's limit.
const CAMERA = "facewire.camera";

function Begin({ openCamera, openFile, camera, setCamera, isOver }) {
  return html`
    <div class=${`stage-begin ${isOver ? "over" : ""}`}>
      <${Icon} name="live" />
      <h2>Who is there?</h2>
      <p>Use a webcam, or drop a film or a picture here.</p>
      <div class="row">
        <button type="button" class="first" onClick=${openCamera}><${Icon} name="live" />Use the webcam</button>
        <${Files} accept="image/*,video/*" onFiles=${openFile}><${Icon} name="file" />Open a file<//>
      </div>
      <label class="camera-name">Its name in the events
        <input type="text" maxlength="64" value=${camera} onInput=${(event) => setCamera(event.target.value)} />
      </label>
    </div>`;
}

/** The view. */
export function Live({ gallery, may, missing }) {
  const [source, setSource] = useState(null); // {kind, stream | url | bitmap}
  const [state, setState] = useState(NOTHING);
  const [problem, setProblem] = useState("");
  const [isOver, setIsOver] = useState(false);
  const [devices, setDevices] = useState([]);
  const [naming, setNaming] = useState(null);
  const [explained, setExplained] = useState(null); // a face
  const [camera, setCamera] = useState(() => localStorage.getItem(CAMERA) ?? "webcam");
  const shown = useRef(null); // the video, or the canvas of a picture
  const canvas = useRef(null);
  const player = useRef(null);

  useEffect(() => {
    if (!source) return undefined;
    if (source.kind === "picture") return showPicture();
    const element = shown.current;
    if (source.stream) element.srcObject = source.stream;
    else element.src = source.url;
    const refused = () => setProblem("The browser cannot play this film.");
    element.addEventListener("error", refused);
    element.play().catch(() => {});
    player.current = new Player({
      video: element,
      canvas: canvas.current,
      camera: camera || source.kind,
      gallery,
      mirrored: source.kind === "webcam",
      report: setState,
    });
    return () => {
      element.removeEventListener("error", refused);
      player.current.close();
      player.current = null;
      close(source.stream);
      if (source.url) URL.revokeObjectURL(source.url);
    };
  }, [source]);

  function showPicture() {
    const overlay = new Overlay(canvas.current);
    const again = () => overlay.draw(source.tracks, source.size, { glides: false });
    again();
    shown.current.getContext("2d").drawImage(source.picture, 0, 0);
    const resized = new ResizeObserver(again);
    resized.observe(canvas.current);
    return () => resized.disconnect();
  }

  const begin = (next) => {
    setProblem("");
    setState(NOTHING);
    setSource(next);
  };
  const openCamera = async (id) => {
    try {
      localStorage.setItem(CAMERA, camera);
      const stream = await openWebcam(id);
      stream.getVideoTracks()[0].addEventListener("ended", () => setProblem("The camera was unplugged."));
      begin({ kind: "webcam", stream, device: stream.getVideoTracks()[0].getSettings().deviceId });
      setDevices(await webcams());
    } catch (error) {
      setProblem(error.message);
    }
  };
  const openFile = async ([file]) => {
    if (file.type.startsWith("video/")) return begin({ kind: "film", url: URL.createObjectURL(file) });
    try {
      const bitmap = await read(file).catch(() => { throw new Error("The browser cannot read this file."); });
      const picture = drawn(bitmap, { longest: LONGEST_PX });
      const encoded = await jpeg(picture);
      const { faces, width_px: width, height_px: height } = await api.recognize(gallery, encoded);
      const tracks = faces.map((face, key) => ({ key, face }));
      begin({ kind: "picture", picture, jpeg: encoded, tracks, size: { width, height } });
      setState({ ...NOTHING, tracks });
    } catch (error) {
      setProblem(reasonWords(error));
    }
    return undefined;
  };
  const name = async (track) => {
    const frame = source.kind === "picture" ? { jpeg: source.jpeg, box: track.face.box } : player.current.frameOf(track.key);
    if (frame) setNaming(await cutOut(frame.jpeg, frame.box));
  };
  if (!may.recognize) return html`<${Refused} title="Live" why=${missing.recognize} />`;
  const over = dropping(openFile, setIsOver);
  const size = source?.kind === "picture" ? source.size : null;
  return html`
    <div class="view-head">
      <div><h1>Live</h1><p>Who is in front of the camera now.</p></div>
      ${source && html`
        <div class="row">
          ${source.kind === "webcam" && devices.length > 1 && html`
            <select aria-label="Camera" value=${source.device} onChange=${(event) => openCamera(event.target.value)}>
              ${devices.map((each) => html`<option key=${each.deviceId} value=${each.deviceId}>${each.label || "Camera"}</option>`)}
            </select>`}
          <${Files} accept="image/*,video/*" onFiles=${openFile}><${Icon} name="file" />Open a file<//>
          <button type="button" onClick=${() => begin(null)}><${Icon} name="stop" />Stop</button>
        </div>`}
    </div>
    <${Problem} text=${problem || state.problem} />
    <div class="live">
      <div class="stage-column">
        <div class=${`stage ${source ? source.kind : "idle"} ${isOver ? "over" : ""}`} ...${over}>
          ${!source && html`<${Begin} ...${{ openCamera: () => openCamera(), openFile, camera, setCamera, isOver }} />`}
          ${source && (size
            ? html`<canvas class="picture" key=${source.picture} ref=${shown} width=${source.picture.width} height=${source.picture.height} />`
            : html`<video ref=${shown} key=${source.kind} muted playsinline controls=${source.kind === "film"} aria-label="The picture of the camera" />`)}
          ${source && html`<canvas class="overlay" ref=${canvas} aria-hidden="true" />`}
        </div>
        ${source && source.kind !== "picture" && html`<${Numbers} ...${state} />`}
      </div>
      <${InView} tracks=${state.tracks} isOn=${Boolean(source)} name=${may.enroll ? name : null} explain=${setExplained} />
    </div>
    <${Announcer} tracks=${state.tracks} />
    ${explained && html`<${Evidence} face=${explained} onClose=${() => setExplained(null)} />`}
    ${naming && html`<${Enroll} gallery=${gallery} first=${[naming]} onClose=${() => setNaming(null)} />`}`;
}
