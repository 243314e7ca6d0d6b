// Webcams: opens one, and says in words why that failed.

const FAILURES = {
  NotAllowedError: "The browser may not use a camera. Allow it for this page, and try again.",
  NotFoundError: "There is no camera.",
  NotReadableError: "The camera is in use by another program.",
  OverconstrainedError: "This camera is no longer there.",
};

/** Opens a camera: one by its id, or the one that faces the user. Rejects with an error in words. */
export async function openWebcam(deviceId) {
  if (!navigator.mediaDevices) throw new Error("The browser permits cameras only over HTTPS, or on this machine itself.");
  const video = {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    ...(deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" }),
  };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    throw new Error(FAILURES[error.name] ?? `The camera cannot be opened: ${error.message}`);
  }
}

/** The cameras of this machine; they have names only after one was opened. */
export async function webcams() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((each) => each.kind === "videoinput");
}

/** Ends a camera's light. */
export const close = (stream) => stream?.getTracks().forEach((track) => track.stop());
