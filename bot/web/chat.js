// The chat: lines and presses to the server, its cards as elements of text.
import { element, row } from "./words.js";

const AGAIN_MS = 2000;
const MOST_SHOWN = 100;
const byId = (id) => document.getElementById(id);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export function openChat(announce) {
  const talk = byId("talk");
  const line = byId("line");
  const asked = new Map(); // number -> the card that its answer replaces, or null
  const shown = new Map(); // number -> the card that waits for a picture
  const rung = new Set();
  let socket = null;
  let last = 0;

  const send = (message, card = null) => {
    if (socket?.readyState !== WebSocket.OPEN) {
      announce("The chat is not connected; try again in a moment.");
      return;
    }
    last += 1;
    asked.set(last, card);
    socket.send(JSON.stringify({ id: last, ...message }));
  };
  const type = (text) => {
    add(element("p", text, "said"));
    send({ line: text });
  };
  const add = (made) => {
    talk.append(made);
    while (talk.children.length > MOST_SHOWN) talk.firstChild.remove();
    talk.scrollTop = talk.scrollHeight;
  };
  const press = (data, card) => send({ press: data }, card);
  const show = (message) => {
    const made = cardOf(message.card, press, type);
    const before = asked.get(message.to);
    asked.delete(message.to);
    if (!message.beside && before?.isConnected) {
      const held = before.contains(document.activeElement);
      before.replaceWith(made);
      if (held) made.querySelector("button")?.focus();
    } else add(made);
    if (message.waits) shown.set(message.to, made);
  };
  const hear = {
    hello: ({ menu }) => byId("commands").replaceChildren(...menu.map(([name, , help]) => {
      const option = element("option", help);
      option.value = name;
      return option;
    })),
    reply: show,
    form: ({ to, form }) => { asked.delete(to); add(formOf(form, type)); },
    picture: ({ to, png, lines }) => {
      const card = shown.get(to);
      shown.delete(to);
      if (!card) return;
      for (const text of lines) card.append(element("p", text));
      if (png) paint(card, png, () => { talk.scrollTop = talk.scrollHeight; });
    },
    ring: ({ id, card }) => {
      socket.send(JSON.stringify({ heard: id }));
      if (rung.has(id)) return;
      rung.add(id);
      const made = cardOf(card, press, type);
      made.classList.add("ring");
      add(made);
      announce(card.title);
    },
  };
  const connect = () => {
    const secure = location.protocol === "https:" ? "wss" : "ws";
    const base = location.pathname.replace(/[^/]*$/, "");
    socket = new WebSocket(`${secure}://${location.host}${base}chat`);
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      hear[message.type]?.(message);
    });
    socket.addEventListener("open", () => talk.removeAttribute("data-lost"));
    socket.addEventListener("close", () => {
      talk.setAttribute("data-lost", "");
      asked.clear();
      shown.clear();
      setTimeout(connect, AGAIN_MS);
    });
  };
  byId("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = line.value.trim();
    if (!text) return;
    line.value = "";
    type(text);
  });
  connect();
}

function cardOf(card, press, type) {
  const made = element("article", "", `card ${card.tone}`);
  made.append(element("h3", card.title));
  if (card.fields.length) {
    const list = element("dl");
    for (const [name, value] of card.fields) list.append(element("dt", name), element("dd", value));
    made.append(list);
  }
  for (const table of card.tables) made.append(tableOf(table));
  for (const text of card.lines) made.append(element("p", text));
  if (card.file) made.append(fileOf(card.file));
  if (card.footer.length) made.append(element("footer", card.footer.join(" · ")));
  const buttons = element("div", "", "buttons");
  for (const [label, data] of card.buttons) {
    const button = element("button", label);
    button.type = "button";
    button.addEventListener("click", () => press(data, made));
    buttons.append(button);
  }
  for (const [label, choices] of card.menus) buttons.append(menuOf(label, choices, (data) => press(data, made)));
  if (buttons.children.length) made.append(buttons);
  if (card.unfinished) {
    const questions = [{ title: "Your answer", help: "", required: true, value: "", choices: [] }];
    made.append(formOf({ title: "", name: card.unfinished, questions }, type));
  }
  return made;
}

function tableOf([title, columns, rows]) {
  const box = element("div", "", "scroll");
  const table = element("table");
  if (title) table.append(element("caption", title));
  if (columns.length) {
    const head = element("tr");
    for (const name of columns) {
      const cell = element("th", name);
      cell.scope = "col";
      head.append(cell);
    }
    const part = element("thead");
    part.append(head);
    table.append(part);
  }
  const body = element("tbody");
  body.append(...rows.map(row));
  table.append(body);
  box.append(table);
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", title || "table");
  return box;
}

function menuOf(label, choices, chosen) {
  const select = element("select");
  select.setAttribute("aria-label", label);
  select.append(element("option", label));
  choices.forEach(([name, data]) => {
    const option = element("option", name);
    option.value = data;
    select.append(option);
  });
  select.addEventListener("change", () => { if (select.selectedIndex) chosen(select.value); });
  return select;
}

function fileOf([name, kind, content]) {
  const link = element("a", `Save ${name}`);
  link.href = URL.createObjectURL(new Blob([bytes(content)], { type: kind }));
  link.download = name;
  const line = element("p");
  line.append(link);
  return line;
}

let fields = 0;

function formOf(form, type) {
  const made = element("form", "", "card ask");
  if (form.title) made.append(element("h3", form.title));
  const inputs = form.questions.map((question) => {
    fields += 1;
    const title = element("label", question.required ? question.title : `${question.title} (may be left out)`);
    const input = element("input");
    input.id = title.htmlFor = `field-${fields}`;
    input.required = question.required;
    input.value = question.value;
    input.placeholder = question.help;
    made.append(title, input);
    if (question.choices.length) {
      const list = element("datalist");
      list.id = `${input.id}-choices`;
      input.setAttribute("list", list.id);
      list.append(...question.choices.map(([value, label]) => {
        const option = element("option", label);
        option.value = value;
        return option;
      }));
      made.append(list);
    }
    return input;
  });
  made.append(element("button", "Send"));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    type([form.name, ...inputs.map((input) => input.value.trim())].filter(Boolean).join(" "));
    made.remove();
  });
  setTimeout(() => inputs.find((input) => !input.value)?.focus());
  return made;
}

async function paint(card, png, done) {
  const image = await createImageBitmap(new Blob([bytes(png)], { type: "image/png" }));
  const canvas = element("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Chart of: ${card.querySelector("h3").textContent}`);
  canvas.getContext("2d").drawImage(image, 0, 0);
  card.querySelector("h3").after(canvas);
  done();
}
