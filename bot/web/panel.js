// A panel's own part of the page.
import { element } from "./words.js";

/** A section of that title, below those that are there; .at-NAME says where it stands on a wide screen. */
export function sectionOf(name, title, ...parts) {
  const made = element("section", "", `panel at-${name}`);
  const head = element("h2", title);
  head.id = `${name}-title`;
  made.setAttribute("aria-labelledby", head.id);
  made.append(head, ...parts);
  document.getElementById("panel").append(made);
}

/** An element with an id, for a section to hold. */
export function held(name, id, className = "") {
  const made = element(name, "", className);
  made.id = id;
  return made;
}
