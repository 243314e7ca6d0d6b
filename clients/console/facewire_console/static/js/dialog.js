// Dialogs over the page: the browser's own, which keep the focus inside and return it afterwards.
import { html, useLayoutEffect, useRef, useState } from "../vendor/htm-preact.js";
import { Icon, Problem } from "./parts.js";
import { reasonWords } from "./words.js";

/** A dialog that is open while it is part of the page; Escape closes it. */
export function Dialog({ title, onClose, className = "", children }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element.showModal();
    return () => element.close();
  }, []);
  const closed = (event) => event.target === dialog.current && onClose(); // by Escape; not by leaving the page, when there is no reference
  return html`
    <dialog ref=${dialog} class=${className} aria-labelledby="dialog-title" onClose=${closed}>
      <div class="sheet">
        <header>
          <h2 id="dialog-title">${title}</h2>
          <button type="button" class="bare" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
        </header>
        ${children}
      </div>
    </dialog>`;
}

/** Asks once more before a change. */
export function Confirm({ title, action, act, onClose, children }) {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    try {
      await act();
    } catch (error) {
      setProblem(reasonWords(error));
      setBusy(false);
    }
  };
  return html`
    <${Dialog} title=${title} className="narrow" onClose=${onClose}>
      <div>${children}</div>
      <${Problem} text=${problem} />
      <footer>
        <button type="button" autofocus onClick=${onClose}>Cancel</button>
        <button type="button" class="danger" disabled=${busy} onClick=${confirm}>${action}</button>
      </footer>
    <//>`;
}
