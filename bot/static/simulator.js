// The page: both phones, the clock, the example lines, and the stream of events that keeps them true.

import { dayOf, el, hourOf } from "/static/draw.js";
import { Phone } from "/static/phone.js";

const TITLES = { doctor: "村医可以这样发", supervisor: "公卫科可以这样发" };
const NOTES = {
  doctor: "点一行就发出。照片、表情也可以发,同一个按钮可以再按一次:不会多记一条。",
  supervisor: "村医报来急症时,这部手机马上会响。把时间拨到星期一早上,每周简报自己来。",
};
const $ = (selector) => document.querySelector(selector);

let page = null; // as the server last told it
let phones = null; // name -> Phone
let front = "doctor"; // the phone somebody looks at
let clock = { shown: 0, read: 0 }; // the simulated instant, and when we were told of it

async function post(path, data) {
  try {
    const answer = await fetch(`/sim/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(data),
    });
    if (!answer.ok) toast((await answer.json()).error);
  } catch {
    toast("连不上演示程序,它还在运行吗?");
  }
}

function toast(words) {
  const node = $(".toast");
  node.textContent = words;
  node.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { node.hidden = true; }, 4000);
}

// ---- the clock ----

function setClock(iso) {
  clock = { offset: iso.slice(-6), shown: Date.parse(iso), read: performance.now() };
  tick();
}

/** The simulated instant as county-local ISO text. */
function nowIso() {
  const [hours, minutes] = clock.offset.slice(1).split(":").map(Number);
  const sign = clock.offset[0] === "-" ? -1 : 1;
  const local = clock.shown + performance.now() - clock.read + sign * (hours * 60 + minutes) * 60000;
  return new Date(local).toISOString().slice(0, 19) + clock.offset;
}

function tick() {
  if (!clock.offset) return;
  const now = nowIso();
  $(".now .day").textContent = dayOf(now);
  $(".now .hour").textContent = hourOf(now);
  Object.values(phones ?? {}).forEach((phone) => phone.tick(now));
}

async function moveClock(event) {
  document.body.classList.add("moving");
  await post("clock", { plus: event.target.dataset.plus });
  document.body.classList.remove("moving");
  for (const phone of Object.values(phones)) phone.settle();
}

// ---- unread ----

const unread = { doctor: 0, supervisor: 0 };

function attend(name) {
  front = name;
  unread[name] = 0;
  drawUnread();
}

function arrivedOn(name) {
  if (name !== front) {
    unread[name] += 1;
    drawUnread();
  }
}

function drawUnread() {
  for (const name of Object.keys(phones)) {
    const seat = phones[name].seat;
    seat.classList.toggle("front", name === front);
    seat.classList.toggle("calling", unread[name] > 0);
    const badge = seat.querySelector(".person .badge");
    badge.textContent = unread[name];
    badge.hidden = !unread[name];
  }
  $(".tabs").replaceChildren(...Object.keys(phones).map(tab));
  document.title = unread.doctor + unread.supervisor ? `(${unread.doctor + unread.supervisor}) 村医助手` : "村医助手 · 模拟器";
}

function tab(name) {
  const badge = unread[name] ? el("span", "badge", String(unread[name])) : null;
  const button = el("button", "", `${phones[name].holder.name} ${phones[name].holder.role}`, badge);
  button.type = "button";
  button.setAttribute("role", "tab");
  button.setAttribute("aria-selected", String(name === front));
  button.addEventListener("click", () => {
    attend(name);
    phones[name].toNewest();
  });
  return button;
}

// ---- the stream ----

function showState(state) {
  page = state;
  if (!phones) build(state);
  for (const name of Object.keys(phones)) phones[name].show(state.phones[name], state);
  setClock(state.now);
  drawUnread();
  for (const phone of Object.values(phones)) phone.toNewest();
}

function build(state) {
  phones = {};
  for (const name of Object.keys(state.phones)) {
    const seat = document.querySelector(`.seat[data-phone="${name}"]`);
    phones[name] = new Phone(name, seat, { post, attended: () => attend(name), words: state });
    const examples = document.querySelector(`.examples[data-phone="${name}"]`);
    examples.append(el("h2", "", TITLES[name]), ...state.examples[name].map((each) => example(name, each)), el("p", "", NOTES[name]));
  }
  document.querySelectorAll(".moves button").forEach((button) => button.addEventListener("click", moveClock));
}

function example(name, { why, line }) {
  const button = el("button", "", el("small", "", why), el("span", "", line));
  button.type = "button";
  button.addEventListener("click", () => {
    attend(name);
    phones[name].say(line);
  });
  return button;
}

function listen() {
  const events = new EventSource("/sim/events");
  const on = (event, act) => events.addEventListener(event, ({ data }) => act(JSON.parse(data)));
  on("state", showState);
  on("clock", ({ now }) => setClock(now));
  on("entry", ({ phone, entry }) => phones[phone].take(entry, { arrived: () => arrivedOn(phone) }));
  on("phone", ({ phone, ...shown }) => {
    phones[phone].show(shown, page);
    drawUnread();
  });
  on("unread", ({ code, unread: count }) => {
    for (const phone of Object.values(phones)) {
      phone.others = { ...phone.others, [code]: count };
      phone.drawHolders(page.holders);
    }
  });
  let lost = false;
  events.onerror = () => { lost = true; };
  events.onopen = () => {
    if (lost) toast("又连上了");
    lost = false;
  };
}

setInterval(tick, 1000);
listen();
