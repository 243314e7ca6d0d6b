// Calls of the console's HTTP interface. Names and pictures travel in bodies; paths have ids.

/**
 * A call that failed: `reason` is for programs, `message` for people, `status` the one of HTTP, 0 without a response;
 * `pictures` has the outcome of each picture that was to be enrolled.
 */
export class ApiError extends Error {
  constructor(status, { reason = "UNREACHABLE", message = "The console cannot be reached.", pictures = [] } = {}) {
    super(message);
    Object.assign(this, { status, reason, pictures });
  }
}

const listeners = new Set();

/** Calls `listener` whenever a call finds that the browser is not signed in. */
export function onSignedOut(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The absolute address of a path of the console, below wherever the page is served. */
export function address(path, query = {}) {
  const url = new URL(path, document.baseURI);
  url.hash = "";
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

async function call(method, path, { query, json, body, type, signal } = {}) {
  const headers = {};
  if (json !== undefined) headers["content-type"] = "application/json";
  else if (type) headers["content-type"] = type;
  let response;
  try {
    response = await fetch(address(path, query), {
      method,
      headers,
      body: json === undefined ? body : JSON.stringify(json),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0);
  }
  if (response.status === 204) return null;
  const value = await response.json().catch(() => ({}));
  if (response.ok) return value;
  if (response.status === 401) listeners.forEach((listener) => listener());
  const { error = { reason: "INTERNAL", message: `The console responded with ${response.status}.` }, ...more } = value;
  throw new ApiError(response.status, { ...error, ...more });
}

function form(fields, images) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== null) data.set(name, value);
  }
  images.forEach((image, index) => data.append("image", image, `${index + 1}.jpg`));
  return data;
}

/** The nearest people that a face comes with: the best one, the next one, and one who is passed over. */
export const CANDIDATES = 3;

/** The calls, for one gallery. */
export const api = {
  status: (gallery, signal) => call("GET", "api/status", { query: { gallery }, signal }),
  metrics: (signal) => call("GET", "api/metrics", { signal }),
  signIn: (token) => call("POST", "api/login", { json: { token } }),
  signOut: () => call("POST", "api/logout"),
  identities: (gallery, page_token, signal) => call("GET", "api/identities", { query: { gallery, page_token, page_size: 100 }, signal }),
  identity: (gallery, id, signal) => call("GET", `api/identities/${encodeURIComponent(id)}`, { query: { gallery }, signal }),
  checkup: (gallery, signal) => call("GET", "api/checkup", { query: { gallery }, signal }),
  enroll: (gallery, fields, images) => call("POST", "api/identities", { query: { gallery }, body: form(fields, images) }),
  templates: (gallery, id, signal) => call("GET", `api/identities/${encodeURIComponent(id)}/templates`, { query: { gallery }, signal }),
  addTemplates: (gallery, id, fields, images) => call("POST", `api/identities/${encodeURIComponent(id)}/templates`, { query: { gallery }, body: form(fields, images) }),
  deleteTemplate: (gallery, id, template) => call("DELETE", `api/identities/${encodeURIComponent(id)}/templates/${encodeURIComponent(template)}`, { query: { gallery } }),
  negativeExamples: (gallery, id, signal) => call("GET", `api/identities/${encodeURIComponent(id)}/negative-examples`, { query: { gallery }, signal }),
  addNegativeExample: (gallery, id, fields, image) => call("POST", `api/identities/${encodeURIComponent(id)}/negative-examples`, { query: { gallery }, body: form(fields, [image]) }),
  deleteNegativeExample: (gallery, id, example) => call("DELETE", `api/identities/${encodeURIComponent(id)}/negative-examples/${encodeURIComponent(example)}`, { query: { gallery } }),
  rename: (gallery, id, name) => call("PATCH", `api/identities/${encodeURIComponent(id)}`, { query: { gallery }, json: { name } }),
  forget: (gallery, id) => call("DELETE", `api/identities/${encodeURIComponent(id)}`, { query: { gallery } }),
  merge: (gallery, identity_id, merged_identity_id) => call("POST", "api/merge", { query: { gallery }, json: { identity_id, merged_identity_id } }),
  split: (gallery, identity_id, template_ids, name) => call("POST", "api/split", { query: { gallery }, json: { identity_id, template_ids, name } }),
  recognize: (gallery, jpeg, signal) => call("POST", "api/recognize", { query: { gallery, explain: true, candidates: CANDIDATES }, body: jpeg, type: jpeg.type || "image/jpeg", signal }),
  unknown: (gallery, signal) => call("GET", "api/unknown", { query: { gallery }, signal }),
  nameUnknown: (gallery, id, name) => call("POST", `api/unknown/${id}/identity`, { query: { gallery }, json: { name } }),
  forgetUnknown: (gallery, id) => call("DELETE", `api/unknown/${id}`, { query: { gallery } }),
  forgetAllUnknown: (gallery) => call("DELETE", "api/unknown", { query: { gallery } }),
  events: (gallery, signal) => call("GET", "api/events", { query: { gallery, limit: 1000 }, signal }),
};

/** The address of a track's best picture. */
export const cropAddress = (track, gallery) => address(`api/tracks/${encodeURIComponent(track)}/crop`, { gallery }).href;

/** The address of a picture of an unknown person; number 1 is the best one. */
export const unknownPictureAddress = (id, number, gallery) => address(`api/unknown/${id}/pictures/${number}`, { gallery }).href;

/** A track's best picture. */
export async function crop(track, gallery) {
  const response = await fetch(cropAddress(track, gallery));
  if (!response.ok) throw new ApiError(response.status, (await response.json().catch(() => ({}))).error);
  return response.blob();
}
