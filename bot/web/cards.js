// A card as the server tells it, in elements of text: its buttons, menus, tables, file, picture.
import { copyOf } from "./copy.js";
import { formOf } from "./forms.js";
import { buttonOf, element, headOf, row } from "./words.js";

const LONG = 40; // characters of a value that stands below its name
const FORGET_MS = 60_000; // after which a saved file's content is let go
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** press(data, card) for buttons, type(line) and complete(text, of) for what the card asks. */
export function cardOf(card, { press, type, complete }) {
  const made = element("article", "", `card ${card.tone}`);
  made.append(element("h3", card.title));
  if (card.fields.length) made.append(fieldsOf(card.fields));
  for (const table of card.tables) made.append(...(isString(table) ? stringOf(table, card.title) : [tableOf(table, card.title)]));
  for (const text of card.lines) made.append(element("p", text));
  for (const [label, url] of card.links) made.append(linkOf(label, url));
  if (card.file) made.append(fileOf(card.file));
  if (card.footer.length) made.append(element("footer", card.footer.join(" · ")));
  const buttons = element("div", "", "buttons");
  buttons.append(
    ...card.buttons.map(([label, data]) => buttonOf(label, () => press(data, made))),
    ...card.menus.map(([label, choices]) => menuOf(label, choices, (data) => press(data, made))),
  );
  if (buttons.children.length) made.append(buttons);
  if (card.unfinished) made.append(formOf(questionOf(card.unfinished), type, complete));
  return made;
}

/** Draw the picture into the card, below its title, to be pressed for a larger one. */
export async function paint(card, png) {
  const image = await createImageBitmap(new Blob([bytes(png)], { type: "image/png" }));
  const words = `Chart: ${wordsOf(card)}`;
  const button = buttonOf("", () => enlarge(image, words));
  button.className = "picture";
  button.title = "Show it larger";
  button.append(canvasOf(image, words));
  card.querySelector("h3").after(button);
}

function canvasOf(image, words) {
  const canvas = element("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words);
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas;
}

function enlarge(image, words) {
  const shown = element("dialog", "", "larger");
  shown.setAttribute("aria-label", "Chart");
  shown.append(canvasOf(image, words), buttonOf("Close", () => shown.close()));
  shown.addEventListener("click", () => shown.close());
  shown.addEventListener("close", () => shown.remove());
  document.body.append(shown);
  shown.showModal();
}

function wordsOf(card) {
  const said = [...card.querySelectorAll("h3, dl div")].map((part) => part.textContent);
  return `${said.join(", ")}. The levels are in the table of this page.`;
}

function fieldsOf(fields) {
  const list = element("dl");
  for (const [name, value] of fields) {
    const pair = element("div", "", value.length > LONG ? "long" : "");
    pair.append(element("dt", name), " ", element("dd", value));
    list.append(pair);
  }
  return list;
}

/** Whether it is a lone cell: a string to be taken along. */
function isString([title, columns, rows]) {
  return !title && !columns.length && rows.length === 1 && rows[0].length === 1;
}

function stringOf(table, title) {
  const made = tableOf(table, title);
  const cell = made.querySelector("th");
  return [made, copyOf(title, () => cell.textContent, () => cell)];
}

function tableOf([title, columns, rows], of) {
  const box = element("div", "", "scroll");
  const table = element("table");
  if (title) table.append(element("caption", title));
  if (columns.length) table.append(headOf(columns));
  const body = element("tbody");
  body.append(...rows.map(row));
  table.append(body);
  box.append(table);
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", title || of);
  return box;
}

function menuOf(label, choices, chosen) {
  const select = element("select");
  select.setAttribute("aria-label", label);
  select.append(element("option", label));
  for (const [name, data] of choices) {
    const option = element("option", name);
    option.value = data;
    select.append(option);
  }
  select.addEventListener("change", () => { if (select.selectedIndex) chosen(select.value); });
  return select;
}

function linkOf(label, url) {
  const link = element("a", label);
  link.href = url;
  const line = element("p");
  line.append(link);
  return line;
}

function fileOf([name, kind, content]) {
  const line = element("p");
  line.append(buttonOf(`Save ${name}`, () => save(name, new Blob([bytes(content)], { type: kind }))));
  return line;
}

function save(name, content) {
  const link = element("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), FORGET_MS);
}

function questionOf(line) {
  const question = { name: "", title: "Your answer", help: "", required: true, value: "", choices: [] };
  return { title: "", name: line, questions: [question] };
}
