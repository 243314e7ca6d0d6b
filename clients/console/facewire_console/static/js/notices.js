// Short notices at the lower edge, which a screen reader reads, too.
import { html, useEffect, useState } from "../vendor/htm-preact.js";

const SHOWN_MS = 4500;
let add = () => {};
let last = 0;

/** Shows a notice for a few seconds. */
export const notify = (text) => add(text);

/** The notices; once in a page. */
export function Notices() {
  const [notices, setNotices] = useState([]);
  useEffect(() => {
    add = (text) => {
      const notice = { id: ++last, text };
      setNotices((before) => [...before.slice(-2), notice]);
      setTimeout(() => setNotices((before) => before.filter((each) => each !== notice)), SHOWN_MS);
    };
    return () => (add = () => {});
  }, []);
  return html`<div class="toasts" role="status">${notices.map(({ id, text }) => html`<p class="toast" key=${id}>${text}</p>`)}</div>`;
}
