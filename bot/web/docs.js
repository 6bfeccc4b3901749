// The paths to try out, in place of the list that the page brings along.
const dark = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

async function schema() {
  const response = await fetch("openapi.json");
  // This page's own folder: that holds under /v2 and behind another server's path as well.
  return { ...await response.json(), servers: [{ url: new URL(".", location.href).href }] };
}

async function browse() {
  SwaggerUIBundle({
    spec: await schema(),
    dom_id: "#browser",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    validatorUrl: null,
    syntaxHighlight: false, // its colours are too faint to be read
  });
  document.getElementById("list").hidden = true;
}

dark.addEventListener("change", follow);
follow();
if (globalThis.SwaggerUIBundle) browse();
