// A picture that is to be enrolled: read, shown to the server, and what is wrong with it.
import { api } from "../api.js";
import { drawn, jpeg, read } from "../pictures.js";
import { faultWords, reasonWords } from "../words.js";

const LONGEST_PX = 1792; // Of a picture that is sent; docs/cameras.md: more pixels improve no result.

/**
 * Checks a picture. Returns `{jpeg, canvas, faces, chosen, state, words, known}`: `state` is "good", "poor", "choose" (there are
 * several faces) or "bad", `words` say why, `chosen` is the index of the face, and `known` is whom it resembles already.
 */
export async function check(blob, gallery) {
  let canvas;
  try {
    const bitmap = await read(blob);
    canvas = drawn(bitmap, { longest: LONGEST_PX });
    bitmap.close();
  } catch {
    return { state: "bad", words: "The browser cannot read this file.", faces: [] };
  }
  const encoded = await jpeg(canvas, 0.95);
  try {
    const { faces } = await api.recognize(gallery, encoded);
    return { jpeg: encoded, canvas, faces, ...judged(faces, faces.length > 1 ? null : 0) };
  } catch (error) {
    return { jpeg: encoded, canvas, faces: [], state: "bad", words: reasonWords(error) };
  }
}

/** What can be said of a picture whose face is chosen, or is not yet. */
export function judged(faces, chosen) {
  if (faces.length === 0) return { chosen, state: "bad", words: "No face was found." };
  if (chosen === null) return { chosen, state: "choose", words: "Several faces: choose one." };
  const { quality, verdict, identity_id: id, name } = faces[chosen];
  const known = verdict === "known" ? { identity_id: id, name } : null;
  const [fault] = quality.faults;
  return fault ? { chosen, known, state: "poor", words: faultWords(fault) } : { chosen, known, state: "good", words: "Good" };
}
