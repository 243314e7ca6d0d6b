// Asks for the console's token.
import { html, useState } from "../vendor/htm-preact.js";
import { api } from "./api.js";
import { Problem } from "./parts.js";
import { reasonWords } from "./words.js";

/** A form for the token; `onSignedIn` is called once the console took it. */
export function SignIn({ onSignedIn }) {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  const submit = async (event) => {
    event.preventDefault();
    try {
      await api.signIn(token);
      onSignedIn();
    } catch (error) {
      setProblem(error.status === 401 ? "This is not the token." : reasonWords(error));
    }
  };
  return html`
    <main class="sign-in">
      <form class="card" onSubmit=${submit}>
        <div class="wordmark"><img src="icon.svg" alt="" />facewire</div>
        <h1>Sign in</h1>
        <label for="token">Token</label>
        <input id="token" type="password" autocomplete="current-password" required autofocus
          value=${token} onInput=${(event) => setToken(event.target.value)} />
        <${Problem} text=${problem} />
        <button class="first">Sign in</button>
      </form>
    </main>`;
}
