// Puts a text on the clipboard; where that is not allowed the text is selected, for the reader's own keys.
import { buttonOf, element } from "./words.js";

const SAID_MS = 4_000;

/** A button for it: `read` gives the text, `show` the element in which the same text can be selected. */
export function copyOf(name, read, show) {
  const said = element("span", "", "quiet");
  said.setAttribute("role", "status");
  const button = buttonOf("Copy", async () => {
    said.textContent = await copy(read, show);
    setTimeout(() => { said.textContent = ""; }, SAID_MS);
  });
  button.setAttribute("aria-label", `Copy ${name}`);
  const made = element("span", "", "copy");
  made.append(button, " ", said);
  return made;
}

/** What came of it, in words. */
async function copy(read, show) {
  let text;
  try {
    text = await read();
  } catch (error) {
    return error.message;
  }
  try {
    await navigator.clipboard.writeText(text); // there is no clipboard where the page came by plain HTTP
    return "copied";
  } catch {
    getSelection().selectAllChildren(show(text));
    return "selected, now copy it";
  }
}
