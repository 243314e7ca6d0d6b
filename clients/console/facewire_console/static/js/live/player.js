// Plays a webcam or a film, sends its frames, and draws what the server finds in them.
import { keep } from "../latencies.js";
import { drawn, jpeg } from "../pictures.js";
import { Overlay } from "./overlay.js";
import { Session } from "./session.js";
import { Verdicts } from "./verdicts.js";

const UNDER_WAY = 2; // Frames: one is recognized while the next one travels. More of them wait, which is latency.
const LONGEST_PX = 1280; // Of a frame, unless the server advises less. Chosen: a face of 45 px is found in it.
const QUALITY = 0.85; // Of the JPEGs. Chosen: half the bytes of 0.95, and similarities differ by less than 0.01.
const ADVICE_MS = 30_000; // How long advice holds; docs/cameras.md.
const REPORT_MS = 250; // Chosen: numbers that change faster cannot be read.
const SMOOTH = 0.15; // Weight of the latest latency in the one that is shown.

/**
 * One source in a video element. `report(state)` is called four times a second with
 * `{tracks, latencyMs, fps, shown, recognized, problem}`.
 */
export class Player {
  #verdicts = new Verdicts();
  #overlay;
  #session;
  #isEncoding = false;
  #isOver = false;
  #lastSent = 0;
  #firstShown;
  #advice = { target_fps: 0, longest_side_px: 0, until: 0 };
  #size = { width: 16, height: 9 };
  #state = { latencyMs: null, fps: 0, shown: 0, recognized: 0, problem: "" };
  #times = [];
  #last = null;
  #timer;

  constructor({ video, canvas, camera, gallery, mirrored, report }) {
    Object.assign(this, { video, mirrored, report });
    this.#overlay = new Overlay(canvas);
    this.#session = new Session({
      camera,
      gallery,
      on: {
        started: () => (this.#state.problem = ""),
        result: (message, frame) => this.#result(message, frame),
        event: (event) => this.#verdicts.hear(event),
        advice: (message) => (this.#advice = { ...message, until: performance.now() + ADVICE_MS }),
        waiting: (seconds, error) => (this.#state.problem = `${error.message} Next attempt in ${seconds} s.`),
        failed: (error) => (this.#state.problem = error.message),
      },
    });
    this.#timer = setInterval(() => this.#report(), REPORT_MS);
    this.#next();
    requestAnimationFrame(this.#draw);
  }

  /** The latest frame that has a result, and the track's face in it; null if the track is not in it. */
  frameOf(key) {
    const face = this.#last?.faces.find((each) => each.track_id === key);
    return face ? { jpeg: this.#last.jpeg, box: face.box } : null;
  }

  /** Ends everything but the video itself. */
  close() {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#session.close();
    this.#overlay.draw([], this.#size);
  }

  #next() {
    this.video.requestVideoFrameCallback((now, { presentedFrames }) => {
      if (this.#isOver) return;
      this.#firstShown ??= presentedFrames - 1;
      this.#state.shown = presentedFrames - this.#firstShown;
      this.#offer(now);
      this.#next();
    });
  }

  async #offer(now) {
    const advised = now < this.#advice.until ? this.#advice : {};
    const pause = advised.target_fps ? 1000 / advised.target_fps : 0;
    if (this.#isEncoding || now - this.#lastSent < pause || !this.#session.isFree(UNDER_WAY)) return;
    this.#isEncoding = true;
    this.#lastSent = now;
    try {
      const { videoWidth: width, videoHeight: height } = this.video;
      const longest = Math.min(LONGEST_PX, advised.longest_side_px || LONGEST_PX);
      const frame = await jpeg(drawn(this.video, { width, height, longest }), QUALITY);
      if (!this.#isOver) this.#session.send(frame);
    } finally {
      this.#isEncoding = false;
    }
  }

  #result(message, { sent, jpeg: frame }) {
    if (message.status !== "OK") {
      this.#state.problem = message.detail;
      return;
    }
    const now = performance.now();
    const state = this.#state;
    state.problem = "";
    state.recognized += 1;
    state.latencyMs = state.latencyMs === null ? now - sent : state.latencyMs + SMOOTH * (now - sent - state.latencyMs);
    this.#times = [...this.#times.filter((at) => now - at < 2000), now];
    this.#size = { width: message.width_px, height: message.height_px };
    this.#last = { jpeg: frame, faces: message.faces };
    this.#verdicts.see(message.faces, now);
    keep(now - sent, message.timings);
  }

  #draw = () => {
    if (this.#isOver) return;
    this.#overlay.draw(this.#verdicts.shown, this.#size, { mirrored: this.mirrored });
    requestAnimationFrame(this.#draw);
  };

  #report() {
    const now = performance.now();
    this.#times = this.#times.filter((at) => now - at < 2000);
    this.#state.fps = this.#times.length / 2;
    this.report({ ...this.#state, tracks: this.#verdicts.shown });
  }
}
