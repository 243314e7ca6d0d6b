// Says that the person of a visit is not who they were taken for: from the picture that is kept of the visit.
import { html, useEffect, useState } from "../../vendor/htm-preact.js";
import { api, crop } from "../api.js";
import { Confirm } from "../dialog.js";
import { notify } from "../notices.js";

/** The dialog. `onDone()` comes once it is noted. */
export function Correction({ gallery, visit, onDone, onClose }) {
  const { identity_id: id, name } = visit;
  const [fetched] = useState(() => crop(visit.crop, gallery)); // once: the picture that is shown is the one that is sent
  const [shown, setShown] = useState("");
  useEffect(() => {
    let address = "";
    let isOpen = true;
    fetched.then(
      (picture) => isOpen && setShown((address = URL.createObjectURL(picture))),
      () => {}, // `correct` says why there is none
    );
    return () => {
      isOpen = false;
      URL.revokeObjectURL(address);
    };
  }, [fetched]);
  const correct = async () => {
    const { similarity, threshold } = await api.addNegativeExample(gallery, id, { selection: "most_central" }, await fetched);
    const little = similarity < threshold ? " It is less similar than is asked for, so this may change little." : "";
    notify(`Noted: this is not ${name}.${little}`);
    onDone();
    onClose();
  };
  return html`
    <${Confirm} title=${`This is not ${name}?`} action=${`This is not ${name}`} act=${correct} onClose=${onClose}>
      ${shown && html`<img class="kept-picture" src=${shown} alt="The picture of the visit" />`}
      <p>From now on a face that is nearer to this one than to ${name} does not get the name, on every camera. What identifies the face is
        kept, the picture is not. It can be taken back under People.</p>
    <//>`;
}
