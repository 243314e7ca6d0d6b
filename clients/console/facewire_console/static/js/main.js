// Begins the page.
import { html, render } from "../vendor/htm-preact.js";
import { App } from "./app.js";

// A file that is dropped beside a view would replace the page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());

render(html`<${App} />`, document.getElementById("page"));
