// One camera's stream over a WebSocket: its credit, its results, and a new connection after a broken one.
import { CANDIDATES, address } from "../api.js";

const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 30_000;
const LASTING = new Set([1003, 1008, 1009]); // Closed because of what was sent: the same again would be refused again.

/**
 * A stream. `on` has the functions `started(message)`, `result(message, frame)`, `skipped(message)`, `event(event)`,
 * `advice(message)`, `waiting(seconds)` and `failed(error)`. `frame` is what `send` was called with, and when.
 */
export class Session {
  #socket = null;
  #pause = FIRST_PAUSE_MS;
  #timer = 0;
  #sequence = 0;
  #sent = new Map();
  #error = null;
  #credit = 0;
  #mostBytes = Infinity;

  constructor({ camera, gallery, on }) {
    this.on = on;
    this.url = address("ws/live", { camera, gallery });
    this.url.protocol = this.url.protocol === "https:" ? "wss:" : "ws:";
    this.#connect();
  }

  /** Whether a frame may be sent now: at most `most` are under way, and the browser has passed on what it had. */
  isFree(most) {
    return this.#credit > 0 && this.#sent.size < Math.min(this.#credit, most) && this.#socket.bufferedAmount === 0;
  }

  /** Sends a frame: a JPEG, and anything that its result is to come with. */
  send(jpeg, more) {
    if (!this.#credit || jpeg.size > this.#mostBytes) return;
    const sequence = ++this.#sequence;
    const sent = performance.now();
    this.#sent.set(sequence, { jpeg, sent, ...more });
    this.#socket.send(JSON.stringify({ type: "frame", sequence, captured_at_us: Math.round(sent * 1000) }));
    this.#socket.send(jpeg);
  }

  /** Ends the stream. */
  close() {
    clearTimeout(this.#timer);
    this.on = {};
    if (this.#socket.readyState === WebSocket.OPEN && this.#credit) this.#socket.send('{"type":"end"}');
    else this.#socket.close();
  }

  #connect() {
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "config", explain: true, candidates: CANDIDATES }));
    socket.onmessage = ({ data }) => this.#read(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(code);
  }

  #read(message) {
    if (message.type === "started") {
      this.#credit = message.credit;
      this.#mostBytes = message.max_image_bytes;
      this.on.started?.(message);
    } else if (message.type === "result") {
      this.#pause = FIRST_PAUSE_MS;
      const frame = this.#sent.get(message.sequence);
      this.#sent.delete(message.sequence);
      if (frame) this.on.result?.(message, frame);
    } else if (message.type === "skipped") {
      for (const sequence of [...this.#sent.keys()]) {
        if (sequence >= message.first_sequence && sequence <= message.last_sequence) this.#sent.delete(sequence);
      }
      this.on.skipped?.(message);
    } else if (message.type === "event") this.on.event?.(message.event);
    else if (message.type === "advice") this.on.advice?.(message);
    else if (message.type === "error") this.#error = message.error;
  }

  #closed(code) {
    const error = this.#error ?? { reason: "UNREACHABLE", message: "The connection to the console broke." };
    this.#credit = 0;
    this.#sent.clear();
    this.#error = null;
    if (LASTING.has(code)) {
      this.on.failed?.(error);
    } else if (this.on.waiting) {
      const wait = this.#pause * (1 - Math.random() / 2);
      this.#pause = Math.min(LAST_PAUSE_MS, this.#pause * 2);
      this.on.waiting(Math.ceil(wait / 1000), error);
      this.#timer = setTimeout(() => this.#connect(), wait);
    }
  }
}
