// Signing in and out: what is kept is a cookie that no script reads.
const byId = (id) => document.getElementById(id);
const LOST = "The server does not answer; try again in a moment.";

// What went wrong, in a line; nothing when it went well.
export async function signIn(headers) {
  try {
    const response = await fetch("session", { method: "POST", headers });
    return response.ok ? "" : (await response.json()).error.message;
  } catch {
    return LOST;
  }
}

// What went wrong, in a line; when it went well the page begins anew.
export async function signOut() {
  try {
    const response = await fetch("session", { method: "DELETE" });
    if (!response.ok) return (await response.json()).error.message;
  } catch {
    return LOST;
  }
  location.reload();
  return "";
}

async function submit(event) {
  event.preventDefault();
  const trouble = await signIn({ "X-API-Key": byId("key").value.trim() });
  if (trouble) byId("key-error").textContent = trouble;
  else location.reload();
}

export function askForKey() {
  byId("key-form").hidden = false;
  for (const part of document.querySelectorAll("#main, #chat, .skip, .to-chat")) part.hidden = true;
  byId("connection").textContent = "not signed in";
  byId("key").focus();
  byId("key-form").addEventListener("submit", submit);
}
