// The link of the bot: its pass stands behind the #, and leaves the address bar at once.
import { signIn } from "./access.js";

const MISSING = "This page needs the link that the bot sends: ask it /dashboard.";
const byId = (id) => document.getElementById(id);
let pass = "";

function tell(text) {
  byId("trouble").textContent = text;
}

function take() {
  if (location.hash.length < 2 && pass) return; // we took it out ourselves
  pass = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  byId("enter").disabled = !pass;
  tell(pass ? "" : MISSING);
}

async function enter() {
  byId("enter").disabled = true;
  const trouble = await signIn({ "X-Pass": pass });
  if (trouble) tell(trouble);
  else location.replace("./");
}

byId("enter").addEventListener("click", enter);
addEventListener("hashchange", take);
take();
