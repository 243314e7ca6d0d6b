// Makes visits of events: who was where, from when to when.

/** Adds events to a map of them by number, which is the only order that holds; returns a new map. */
export function merged(known, events) {
  const all = new Map(known);
  for (const event of events) all.set(event.event_id, event);
  return all;
}

/**
 * The visits of events, newest first: `{id, camera, verdict, label, identity_id, name, similarity, from, to, isHere, crop, attack}`, times in
 * milliseconds, `crop` the track of which there is a picture, or null, `attack` the latest hint of a presentation attack, or null. A person who is back within a minute is on the same visit.
 */
export function visitsOf(events) {
  const visits = new Map();
  for (const event of [...events.values()].sort((one, other) => one.event_id - other.event_id)) {
    const before = visits.get(event.visit_id) ?? { tracks: new Map(), from: Infinity, to: 0, crop: null, attack: null };
    const tracks = before.tracks.set(event.track_id, event.type !== "ended");
    visits.set(event.visit_id, {
      ...before,
      id: event.visit_id,
      tracks,
      camera: event.camera,
      ...verdictOf(before, event),
      from: Math.min(before.from, Date.parse(event.first_seen)),
      to: Math.max(before.to, Date.parse(event.last_seen)),
      isHere: [...tracks.values()].some(Boolean),
      crop: event.has_crop ? event.track_id : before.crop,
      attack: event.presentation_attack_score ?? before.attack,
    });
  }
  return [...visits.values()].sort((one, other) => other.from - one.from);
}

/** A verdict stands until another one is reached: the beginning of a visit's next track says nothing yet. */
function verdictOf(before, event) {
  const isOpen = event.verdict === "pending" && event.type !== "retracted" && before.verdict;
  const { verdict, label, identity_id, name, similarity } = isOpen ? before : event;
  return { verdict, label, identity_id, name, similarity };
}

/** Groups visits by day, keeping their order. */
export function byDay(visits, dayOf) {
  const days = new Map();
  for (const visit of visits) {
    const day = dayOf(visit.from);
    days.set(day, [...(days.get(day) ?? []), visit]);
  }
  return [...days];
}
