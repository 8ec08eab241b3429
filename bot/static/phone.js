// A phone: its chat, its buttons, its composer. It knows nothing of the other one.

import { dayOf, drawEntry, drawTyping, el, hourOf } from "/static/draw.js";

const QUIET_MINUTES = 5; // WeCom writes the hour above a message after so long a pause
const TYPING = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 420; // ms
const NEAR_THE_END = 80; // px
const GAP = 10; // px
const FILES = [["photo", "照片"], ["sticker", "表情"], ["voice", "语音"], ["location", "位置"]];

const top = (chat, node) => node.offsetTop - chat.offsetTop;

export class Phone {
  /** `post(path, data)` asks the server; `attended()` is called when somebody looks at this phone. */
  constructor(name, seat, { post, attended, words }) {
    Object.assign(this, { name, seat, words });
    this.post = (path, data) => post(path, { phone: name, ...data });
    seat.append(document.querySelector("#seat").content.cloneNode(true));
    this.$ = (selector) => seat.querySelector(selector);
    this.chat = this.$(".chat");
    this.entries = new Map();
    this.arriving = Promise.resolve();
    this.waitingCount = 0;
    this.wire(attended);
  }

  // ---- what the server says ----

  show({ holder, look, entries, others }, page) {
    Object.assign(this, { holder, look, others });
    this.$(".screen").className = `screen ${look}`;
    this.$(".title small").textContent = look === "telegram" ? "机器人" : "应用";
    this.$(".face").textContent = holder.name[0];
    this.$(".role").textContent = `${holder.role} · ${holder.place}`;
    this.drawHolders(page.holders);
    this.$(".looks").replaceChildren(...Object.entries(page.looks).map(([id, title]) => this.lookButton(id, title)));
    this.entries = new Map(entries.map((entry) => [entry.id, entry]));
    this.redraw();
  }

  drawHolders(holders) {
    const alike = holders.filter((each) => (each.role === "村医") === (this.name === "doctor"));
    const options = alike.map((each) => {
      const unread = this.others[each.code] ? ` (${this.others[each.code]})` : "";
      return new Option(`${each.name}${unread}`, each.code, false, each.code === this.holder.code);
    });
    options.forEach((option, number) => { option.title = `${alike[number].role} ${alike[number].place}`; });
    this.$(".holder").replaceChildren(...options);
  }

  lookButton(id, title) {
    const button = el("button", "", title);
    button.type = "button";
    button.setAttribute("aria-pressed", String(id === this.look));
    button.addEventListener("click", () => this.post("look", { look: id }));
    return button;
  }

  /** A new entry arrives, after a moment of typing when the bot says it; a changed one is drawn again in its place. */
  take(entry, { arrived }) {
    if (this.entries.has(entry.id)) {
      this.entries.set(entry.id, entry);
      this.replace(entry);
      return;
    }
    this.entries.set(entry.id, entry);
    if (entry.who === "worker") {
      this.append(entry);
      return;
    }
    this.waitingCount += 1;
    this.arriving = this.arriving.then(async () => {
      if (this.waitingCount <= 2 && TYPING) await this.type();
      this.waitingCount -= 1;
      if (this.entries.has(entry.id)) this.append(this.entries.get(entry.id));
      arrived();
    });
  }

  async type() {
    const typing = drawTyping();
    const near = this.isNearTheEnd();
    this.chat.append(typing);
    if (near) this.toEnd();
    await new Promise((done) => { setTimeout(done, TYPING); });
    typing.remove();
  }

  /** Show the newest message once everything that is on its way has arrived. */
  settle() {
    this.arriving = this.arriving.then(() => this.toNewest());
  }

  tick(iso) {
    this.$(".status .hour").textContent = hourOf(iso);
  }

  // ---- drawing ----

  redraw() {
    this.last = null;
    this.chat.replaceChildren();
    if (!this.entries.size) this.chat.append(this.emptiness());
    for (const entry of this.entries.values()) this.append(entry, { fresh: false });
    this.toNewest();
  }

  emptiness() {
    const name = this.holder.name;
    return el("p", "empty", `${name}的手机上还没有消息。`, el("br"), "发一行话,或把时间拨到明早 07:30。");
  }

  append(entry, { fresh = true } = {}) {
    this.chat.querySelector(".empty")?.remove();
    const near = this.isNearTheEnd();
    const separator = this.separator(entry);
    if (separator) this.chat.append(separator);
    const node = this.draw(entry);
    node.classList.toggle("fresh", fresh);
    this.chat.append(node);
    if (near || entry.who === "worker" || !fresh) this.toNewest();
    else this.$(".down").hidden = false;
  }

  /** To the end; but a message that does not fit the screen is read from its beginning. */
  toNewest() {
    this.toEnd();
    const nodes = [...this.chat.querySelectorAll(".entry")];
    const newest = nodes.at(-1);
    const first = newest && nodes.find((node) => node === newest || (newest.dataset.key && node.dataset.key === newest.dataset.key));
    if (first && this.chat.scrollHeight - top(this.chat, first) > this.chat.clientHeight) {
      this.chat.scrollTop = top(this.chat, first) - GAP;
      this.$(".down").hidden = false;
    }
  }

  replace(entry) {
    const near = this.isNearTheEnd();
    this.chat.querySelector(`[data-id="${entry.id}"]`)?.replaceWith(this.draw(entry));
    if (near) this.toEnd();
  }

  draw(entry) {
    const press = (choices) => this.post("tap", { message: entry.id, choices });
    return drawEntry(entry, { look: this.look, face: this.holder.name[0], account: this.holder.code, press });
  }

  /** The day above its first message, and on WeCom the hour after a pause. */
  separator(entry) {
    const last = this.last;
    this.last = entry.at;
    const newDay = !last || last.slice(0, 10) !== entry.at.slice(0, 10);
    const pause = last ? (Date.parse(entry.at) - Date.parse(last)) / 60000 : Infinity;
    if (this.look === "telegram") return newDay ? el("div", "day", el("span", "", dayOf(entry.at))) : null;
    if (newDay) return el("div", "day", `${dayOf(entry.at)} ${hourOf(entry.at)}`);
    return pause >= QUIET_MINUTES ? el("div", "day", hourOf(entry.at)) : null;
  }

  isNearTheEnd() {
    return this.chat.scrollHeight - this.chat.scrollTop - this.chat.clientHeight < NEAR_THE_END;
  }

  toEnd() {
    this.chat.scrollTop = this.chat.scrollHeight;
    this.$(".down").hidden = true;
  }

  // ---- what the hand does ----

  wire(attended) {
    const line = this.$("textarea");
    const fits = () => {
      line.style.height = "auto";
      line.style.height = `${line.scrollHeight}px`;
      this.$(".send").disabled = !line.value.trim();
    };
    line.addEventListener("input", fits);
    line.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.$(".composer").requestSubmit();
      }
    });
    this.$(".composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.say(line.value.trim());
      line.value = "";
      fits();
    });
    this.$(".holder").addEventListener("change", (event) => this.post("hold", { worker: event.target.value }));
    this.$(".down").addEventListener("click", () => this.toEnd());
    this.chat.addEventListener("scroll", () => { if (this.isNearTheEnd()) this.$(".down").hidden = true; });
    for (const event of ["pointerdown", "pointerenter", "focusin"]) this.seat.addEventListener(event, attended);
    this.wirePopups();
    this.$(".quick").append(...this.words.examples[this.name].map(({ line: said, why }) => this.example(said, why)));
  }

  wirePopups() {
    const commands = this.words.commands.map(({ slash, word, about }) => [() => this.say(slash), `${slash}`, `${word} ${about}`]);
    const files = FILES.map(([kind, label]) => [() => this.post(kind, {}), label, "", `icon ${kind}`]);
    this.popupOn(this.$(".commands"), commands, "wide");
    this.popupOn(this.$(".attach"), files, "wide");
    this.words.menu.forEach(({ tab, words }) => {
      const button = el("button", "", tab);
      button.type = "button";
      this.$(".menu").append(button);
      this.popupOn(button, words.map((word) => [() => this.say(word), word, ""]), "");
    });
    document.addEventListener("click", (event) => {
      if (!event.composedPath().some((node) => node.classList?.contains("popup"))) this.closePopup(event.target);
    });
    this.seat.addEventListener("keydown", (event) => { if (event.key === "Escape") this.closePopup(null); });
  }

  popupOn(button, items, className) {
    button.addEventListener("click", () => {
      const popup = this.$(".popup");
      if (this.popupOwner === button) {
        this.closePopup(null);
        return;
      }
      popup.className = `popup ${className}`;
      popup.replaceChildren(...items.map((item) => this.popupItem(...item)));
      popup.style.left = className ? "" : `${Math.max(6, button.offsetLeft + button.offsetWidth / 2 - 66)}px`;
      popup.hidden = false;
      this.popupOwner = button;
    });
  }

  popupItem(act, label, about, icon = "") {
    const item = el("button", "", icon ? el("i", icon) : null, label, about ? el("small", "", about) : null);
    item.type = "button";
    item.addEventListener("click", () => {
      this.closePopup(null);
      act();
    });
    return item;
  }

  closePopup(clicked) {
    if (clicked && this.popupOwner?.contains(clicked)) return;
    this.$(".popup").hidden = true;
    this.popupOwner = null;
  }

  example(said, why) {
    const button = el("button", "", said);
    Object.assign(button, { type: "button", title: why });
    button.addEventListener("click", () => this.say(said));
    return button;
  }

  say(text) {
    if (text) this.post("say", { text });
  }
}
