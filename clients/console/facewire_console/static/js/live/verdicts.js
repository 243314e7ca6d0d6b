// What is shown of each track, so that it does not flicker: a verdict stays until another one is reached, and a face that a
// frame misses stays for a moment.

const HOLD_MS = 700; // Chosen: longer than the server's time between two searches would show faces that have left.
const OPEN = new Set(["pending", "too_poor"]);

/** The people in view. */
export class Verdicts {
  #tracks = new Map();

  /** Takes the faces of a result. */
  see(faces, now) {
    for (const [index, face] of faces.entries()) {
      const key = face.track_id ?? `face ${index}`;
      const before = this.#tracks.get(key);
      // The look that was decided on may be older than the face that is shown, whose quality is the present one.
      const verdict = before && OPEN.has(face.verdict) ? before.face : face;
      this.#tracks.set(key, {
        key,
        face: { ...verdict, box: face.box, landmarks: face.landmarks, quality: face.quality, presentation_attack_score: face.presentation_attack_score },
        since: before?.since ?? now,
        seen: now,
      });
    }
    for (const [key, track] of this.#tracks) if (now - track.seen > HOLD_MS) this.#tracks.delete(key);
  }

  /** Takes an event: a name that is taken back is no longer shown, and who has left is gone. */
  hear({ track_id: key, type, verdict, label }) {
    const track = this.#tracks.get(key);
    if (!track) return;
    if (type === "ended") this.#tracks.delete(key);
    if (type === "retracted") track.face = { ...track.face, verdict, label, name: null, identity_id: null, judgment: null };
  }

  /** The tracks in view, those who came first first: `{key, face, since, seen}`. */
  get shown() {
    return [...this.#tracks.values()];
  }
}
