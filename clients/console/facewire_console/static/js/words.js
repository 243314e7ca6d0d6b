// Words for people: verdicts, faults of pictures, refusals, times.

const VERDICTS = {
  known: "Known",
  unknown: "Unknown",
  ambiguous: "Not certain",
  too_poor: "Too poor to say",
  pending: "Looking…",
};

const FAULTS = {
  too_small: "Come closer",
  blurred: "Hold still, find the focus",
  turned_away: "Look into the camera",
  too_dark: "Find more light",
  too_bright: "Find softer light",
  upside_down: "Turn the picture upright",
  covered: "Uncover the eyes",
  unrecognizable: "Show the whole face",
};

const REASONS = {
  NO_FACE: "No face was found.",
  SEVERAL_FACES: "There are several faces: choose one.",
  IMAGE_UNDECODABLE: "This is not a picture that can be read.",
  IMAGE_EMPTY: "The picture is empty.",
  IMAGE_TOO_MANY_BYTES: "The picture has too many bytes.",
  IMAGE_TOO_MANY_PIXELS: "The picture has too many pixels.",
  TRACK_NOT_FOUND: "This picture is no longer kept.",
  IDENTITY_NOT_FOUND: "This person is no longer in the gallery.",
  UNKNOWN_PERSON_NOT_FOUND: "This person is no longer kept.",
  UNKNOWN_PEOPLE_NOT_KEPT: "The server no longer keeps unknown people.",
  TEMPLATE_NOT_FOUND: "This picture is no longer in the gallery.",
  NEGATIVE_EXAMPLE_NOT_FOUND: "This face is no longer kept.",
  IDENTITY_EXISTS: "There is a person of this id already.",
  ROLE_REQUIRED: "Your token does not permit this.",
  TOO_MANY_STREAMS: "The server has as many streams as it can take.",
  SERVER_UNREACHABLE: "The console does not reach the server.",
};

/** The words for a verdict. */
export const verdictWords = (verdict) => VERDICTS[verdict] ?? verdict;

/** What a person can do about a fault of a picture. */
export const faultWords = (fault) => FAULTS[fault] ?? fault.replaceAll("_", " ");

/** The words for an error or a refusal: of its reason where there are any, else its own. */
export const reasonWords = ({ reason, message }) => REASONS[reason] ?? message ?? reason;

/** Who a face or a visitor is, for people. */
export const whoIs = ({ verdict, label }) => (verdict === "known" || verdict === "ambiguous" ? label : verdictWords(verdict));

/** The same, to ask with it: "Ada or Bo?" asks already. */
export const whoAsked = (face) => whoIs(face).replace(/\?$/, "");

/** A number and its noun, of one or of several. */
export const count = (number, one, several = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : several}`;

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** Hours and minutes, from one time to another one. */
export const clock = (from, to = from) => CLOCK.formatRange(new Date(from), new Date(to));

/** Day and month, and the year if it is another one. */
export function date(at, now = new Date()) {
  const time = new Date(at);
  return (time.getFullYear() === now.getFullYear() ? DATE : YEAR).format(time);
}

/** The day of a time: Today, Yesterday, or its date. */
export function day(at, now = new Date()) {
  const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  return days === 0 ? "Today" : days === 1 ? "Yesterday" : WEEKDAY.format(new Date(at));
}

/** How long something took: "8 s", "3 min", "2 h 5 min". */
export function duration(ms) {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Up to two initials of a name. */
export function initials(name) {
  const words = (name || "?").trim().split(/[\s_.-]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/** One of eight hues that an id always has. */
export function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return sum % 8;
}
