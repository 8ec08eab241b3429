// Draws one entry of a chat. The server says what the platform would show; here it only gets its shape.

const WEEKDAYS = "日一二三四五六";
const SHORT = 4; // characters; three such buttons stand in one row of a card
const SENT = { photo: "照片", sticker: "", voice: "语音 3″", location: "洪江示例市 托口镇" };
// Signs that not every computer has a letter for are drawn; the character itself stays there to be copied and read out.
const MARKS = { "🔴": "red", "🟠": "orange", "🟡": "yellow", "🟢": "green", "✅": "tick", "⚠️": "warning", "👉": "hand", "➕": "plus" };
const MARK = new RegExp(`(${Object.keys(MARKS).join("|")})`, "u");

export const hourOf = (iso) => iso.slice(11, 16);

export function dayOf(iso) {
  const [year, month, day] = iso.slice(0, 10).split("-").map(Number);
  return `${month}月${day}日 星期${WEEKDAYS[new Date(Date.UTC(year, month - 1, day)).getUTCDay()]}`;
}

/** An element with a class and children; text children are never parsed as HTML. */
export function el(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** One entry. `press(wires)` is called with the ids of what was pressed. */
export function drawEntry(entry, { look, face, account, press }) {
  const body = el("div", "body", ...content(entry, { look, account, press }));
  if (entry.kind === "card" || entry.kind === "vote" || entry.rows.length) body.classList.add("wide");
  const node = el("div", `entry ${entry.who}`, el("span", "avatar", entry.who === "bot" ? "村" : face), body);
  node.classList.toggle("urgent", Boolean(entry.urgent));
  Object.assign(node.dataset, { id: entry.id, key: entry.key });
  return node;
}

export function drawTyping() {
  const dots = el("div", "bubble typing", el("i"), el("i"), el("i"));
  return el("div", "entry bot waiting", el("span", "avatar", "村"), el("div", "body", dots));
}

function content(entry, { look, account, press }) {
  if (entry.kind === "card") return [card(entry, press)];
  if (entry.kind === "vote") return [vote(entry, press)];
  const state = entry.who === "worker" ? el("span", `state ${entry.state}`) : null;
  const bubble = el("div", "bubble", ...inside(entry, account));
  if (entry.kind === "sticker") bubble.classList.add("big");
  if (look === "telegram") {
    const edited = entry.edited ? "已编辑 " : "";
    bubble.append(el("span", "when", edited + hourOf(entry.at), state));
  }
  const rows = entry.rows.length ? keyboard(entry, press) : null;
  return look === "telegram" ? [bubble, rows] : [bubble, state, rows];
}

function inside(entry, account) {
  if (entry.who === "worker" && entry.kind in SENT) {
    return [el("span", "placeholder", el("i", `icon ${entry.kind}`), SENT[entry.kind])];
  }
  const words = entry.text ? el("span", "words", ...lines(entry.text)) : null;
  if (!entry.file) return [words];
  const address = `/sim/file/${encodeURIComponent(account)}/${entry.id}`;
  if (entry.kind === "photo") {
    const picture = el("img", "pic");
    Object.assign(picture, { src: address, alt: entry.file });
    return [picture, words];
  }
  const link = el("a", "doc", el("i", "", entry.file.split(".").pop().toUpperCase().slice(0, 4)), entry.file);
  Object.assign(link, { href: address, target: "_blank" });
  return [link, words];
}

/** A line that begins with the red mark is red. */
function lines(text) {
  return text.split("\n").flatMap((line, number) => {
    const shown = line.startsWith("🔴") ? [el("span", "alarm", ...marked(line))] : marked(line);
    return number ? ["\n", ...shown] : shown;
  });
}

function marked(text) {
  return text.split(MARK).map((part) => (MARKS[part] ? el("i", `mark ${MARKS[part]}`, part) : part));
}

function button(entry, { id, label }, press) {
  const pressed = el("button", entry.used.includes(id) ? "used" : "", ...marked(label));
  pressed.type = "button";
  pressed.addEventListener("click", () => press([id]));
  return pressed;
}

function keyboard(entry, press) {
  return el("div", "rows", ...entry.rows.map((row) => el("div", "", ...row.map((each) => button(entry, each, press)))));
}

function cardWords(entry) {
  return [
    entry.source ? el("div", "source", entry.source) : null,
    el("b", "", ...lines(entry.title)),
    entry.text ? el("p", "", ...lines(entry.text)) : null,
  ];
}

function card(entry, press) {
  const rows = keyboard(entry, press);
  const three = entry.rows.length === 3 && entry.rows.every(([{ label }]) => label.length <= SHORT);
  rows.classList.toggle("three", three);
  rows.classList.toggle("odd", !three && entry.rows.length % 2 === 1);
  rows.querySelectorAll("button").forEach((each, number) => {
    if (entry.rows[number][0].id.endsWith(":submit") && !entry.used.length) each.classList.add("lead");
  });
  const spent = entry.used.length ? el("div", "spent-note", "已选择") : null;
  const node = el("div", "card", ...cardWords(entry), rows, spent);
  node.classList.toggle("spent", Boolean(entry.used.length));
  return node;
}

function vote(entry, press) {
  const boxes = entry.options.map(({ id, label, ticked }) => {
    const box = el("input");
    Object.assign(box, { type: "checkbox", value: id, checked: ticked });
    return el("label", "", box, ...marked(label));
  });
  const options = el("div", "options", ...boxes);
  const handIn = ([submit]) => {
    const ticked = [...options.querySelectorAll(":checked")].map((box) => box.value);
    press([...ticked, submit]);
  };
  const rows = keyboard(entry, handIn);
  if (!entry.used.length) rows.querySelector("button")?.classList.add("lead");
  const spent = entry.used.length ? el("div", "spent-note", "已提交") : null;
  return el("div", "card", ...cardWords(entry), options, rows, spent);
}
