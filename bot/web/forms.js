// What a command still lacks, asked field by field.
import { Combobox } from "./combobox.js";
import { element } from "./words.js";

let fields = 0;

/** type(line) sends what was filled in; complete(text, of) finds values of one argument. */
export function formOf(form, type, complete) {
  const made = element("form", "", "card ask");
  if (form.title) made.append(element("h3", form.title));
  const inputs = form.questions.map((question) => {
    const input = fieldOf(question, made);
    const known = question.choices.length ? fitting(question.choices) : null;
    new Combobox(input, known ?? ((text) => complete(text, [form.name, question.name])));
    return input;
  });
  made.append(buttonsOf(made));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    type([form.name, ...inputs.map((input) => input.value.trim())].filter(Boolean).join(" "));
    made.remove();
  });
  setTimeout(() => inputs.find((input) => !input.value)?.focus());
  return made;
}

function fieldOf(question, made) {
  fields += 1;
  const title = element("label", question.required ? question.title : `${question.title} (may be left out)`);
  const input = element("input");
  input.id = title.htmlFor = `field-${fields}`;
  input.required = question.required;
  input.value = question.value;
  input.autocomplete = "off";
  input.spellcheck = false;
  input.setAttribute("autocapitalize", "off");
  const held = element("div", "", "combo");
  held.append(input);
  made.append(title, held);
  if (question.help) describe(input, held, question.help);
  return input;
}

function describe(input, held, help) {
  const hint = element("small", help, "quiet");
  hint.id = `${input.id}-hint`;
  input.setAttribute("aria-describedby", hint.id);
  held.after(hint);
}

function buttonsOf(made) {
  const buttons = element("div", "", "buttons");
  const never = element("button", "Never mind");
  never.type = "button";
  never.addEventListener("click", () => made.remove());
  buttons.append(element("button", "Send", "primary"), never);
  return buttons;
}

/** Finds the choices that have what was typed in their value or in their words. */
function fitting(choices) {
  return (text) => {
    const typed = text.trim().toLowerCase();
    return choices
      .filter((words) => words.some((word) => word.toLowerCase().includes(typed)))
      .map(([value, label]) => ({ line: value, shown: value, help: label === value ? "" : label }));
  };
}
