// Why a face was decided so, in words: functions of the face, whose judgment has the numbers.
import { count, faultWords } from "../words.js";

const RULES = {
  face_too_poor: () => "The face is too poor to be compared with anyone.",
  no_person_to_compare: () => "The gallery has no person to compare with.",
  below_threshold: () => "No person of the gallery is similar enough.",
  alone_above_threshold: ([best = "A person"]) => `${best} is similar enough, and no one else is.`,
  clear_of_runner_up: ([best = "A person", next = "another one"]) => `${best} is similar enough, and clearly ahead of ${next}, who is similar enough, too.`,
  nearer_to_negative_example: ([best = "the person"]) => `The face is nearer to one that is not ${best} than to ${best}.`,
  within_margin: ([best = "A person", next = "another one"]) => `${best} and ${next} are similar enough, and too close to each other to choose.`,
};

const CHOICES = {
  request: () => "set by the request",
  operator: () => "set by the operator of the server, for every gallery",
  gallery_size: () => "chosen by the server for the number of people in the gallery",
  error_rate: (rule) => rule
    ? `chosen by the server so that ${share(rule.max_fpir)} of looks at people who are not enrolled may get a name, among ${count(rule.identity_count, "person", "people")}, and never below that of two pictures that are compared`
    : "chosen by the server for an error rate",
};

const share = (rate) => `${Number((100 * rate).toPrecision(3))} %`;
const RAREST = 1e-6; // Rarer rates are not shown: no calibration has data for them. As `facewire explain`.
const COMMON = 0.1; // More frequent rates are shown in percent: "1 in 1" says nothing.
const many = (rate) => Math.round(1 / rate).toLocaleString("en");

const isPassedOver = ({ similarity, negative_example_similarity: nearest }, threshold) =>
  nearest !== null && nearest > similarity && similarity >= threshold;

/** The people whom the similarity and the lead are about, best first. */
const rivals = ({ verdict, threshold, candidates }) =>
  verdict === "known" || verdict === "ambiguous" ? candidates.filter((each) => !isPassedOver(each, threshold)) : candidates;

/** Whether the face was compared with someone. */
export const isCompared = ({ judgment }) => !["face_too_poor", "no_person_to_compare"].includes(judgment.deciding_rule);

/** What made the outcome what it is, in a sentence. */
export function ruleWords(face) {
  const words = RULES[face.judgment.deciding_rule];
  const listed = rivals(face).map(({ name }) => name);
  const names = listed.length === 0 && face.name ? [face.name] : listed; // no candidates were asked for
  return words ? words(names) : "The server decided by a rule that this page does not know.";
}

/** How far the similarity lies from the threshold, and of how many looks it is the mean. */
export function similarityWords(face) {
  const { similarity, threshold, look_count: looks } = face;
  const [best] = rivals(face);
  const apart = Math.abs(similarity - threshold).toFixed(3);
  const who = best ? ` to ${best.name}` : "";
  const mean = looks > 1 ? ` The mean of ${count(looks, "look")}.` : "";
  return `${similarity.toFixed(3)}${who}: ${apart} ${similarity >= threshold ? "above" : "below"} the threshold.${mean}`;
}

/** What the threshold is, who chose it, and the numbers that it follows from: sentences. */
export function thresholdWords({ threshold, threshold_source: source, judgment }) {
  const { threshold_rule: rule } = judgment;
  const chosen = CHOICES[source]?.(rule) ?? "the server does not say why";
  const lines = [`${threshold.toFixed(3)}, ${chosen}.`];
  if (source !== "error_rate" || !rule) return lines;
  const whose = rule.shrinkage
    ? `${share(rule.shrinkage)} of this comes from ${count(rule.paired_identity_count, "person", "people")} of the gallery, the rest from the model's calibration`
    : "all of this comes from the model's calibration: the gallery has too few people to say";
  lines.push(`Two different people are ${rule.mean.toFixed(3)} similar on average, with a spread of ${rule.spread.toFixed(3)}; ${whose}.`);
  if (rule.cohesion > 0 && rule.cohesion < 1) lines.push(`People with several pictures resemble everyone more: by 1 ÷ ${rule.cohesion.toFixed(3)}.`);
  if (rule.is_extrapolated) lines.push("The threshold rests on a rate that is rarer than the calibration's data: a guess.");
  return lines;
}

/** How many strangers are as similar, and how many get a name: sentences; none if the server does not know. */
export function errorWords({ judgment }) {
  const { false_match_rate: rate, false_match_rate_bound: bound, is_extrapolated: isGuess, false_name_rate: names } = judgment;
  const lines = [];
  if (rate) {
    const guess = isGuess ? ", a guess beyond the calibration's data" : "";
    const most = bound ? ` (at most 1 in ${many(bound)})` : "";
    if (rate > COMMON) lines.push(`${share(rate)} of comparisons of two different people reach this similarity.`);
    else lines.push(rate < RAREST
      ? `Fewer than 1 comparison of two different people in ${many(RAREST)} reach this similarity${guess}.`
      : `1 comparison of two different people in ${many(rate)} reaches this similarity${most}${guess}.`);
  }
  if (names) lines.push(`With this threshold ${share(names)} of looks at people who are not enrolled are expected to get a name.`);
  return lines;
}

/** Who comes next, and how far behind. */
export function runnerUpWords(face) {
  const { margin, threshold, judgment, candidates } = face;
  const people = rivals(face);
  const [, next] = people;
  if (!next && margin > 0) return `The next person is ${margin.toFixed(3)} behind.`;
  if (!next) return `There is no other person to compare with${people.length < candidates.length ? ", except who was passed over" : ""}.`;
  const behind = `${next.name} comes next, ${margin.toFixed(3)} behind`;
  if (next.similarity < threshold) return `${behind}, and is not similar enough.`;
  return `${behind}, and is similar enough, too. A name needs a lead of ${judgment.min_margin.toFixed(3)}.`;
}

/** Who was passed over, and why; "" if no one was. */
export function passedOverWords({ threshold, candidates, judgment }) {
  const { passed_over_similarity: similarity, negative_example_similarity: nearest } = judgment;
  if (similarity === null) return "";
  const who = candidates.find((each) => isPassedOver(each, threshold))?.name ?? "A person";
  return `${who} is ${similarity.toFixed(3)} similar, but a face that is not this person is ${nearest.toFixed(3)} similar. Under People that can be taken back.`;
}

/** What was measured of the face, and what would be better: sentences. */
export function qualityWords({ quality, judgment, detection_score: score }) {
  const eyes = `${quality.inter_eye_px.toFixed(0)} px between the eyes (at least ${judgment.min_inter_eye_px.toFixed(0)} are needed)`;
  const measured = `sharpness ${quality.sharpness.toFixed(0)}, brightness ${quality.brightness.toFixed(0)} of 255, found with a score of ${score.toFixed(2)}`;
  return [`${eyes}, ${measured}.`, ...quality.faults.map((fault) => `${faultWords(fault)}.`)];
}
