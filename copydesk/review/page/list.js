// The list of documents: only the rows in sight exist.

import { byId, el, plain, shown } from "./base.js";
import { marks } from "./store.js";

const HEIGHT = 64; // of a row, as in the style sheet
const SPARE = 6;

/** A list over `index`; `open` is called with the place of the document that is chosen. */
export class List {
  constructor(index, open) {
    this.index = index;
    this.open = open;
    this.places = [];
    this.at = -1;
    this.box = byId("list");
    this.paper = el("div", { role: "presentation", class: "paper" });
    this.box.append(this.paper);
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.box);
    this.box.addEventListener("keydown", (event) => this.key(event));
  }

  show(places) {
    const before = this.places[this.at];
    this.places = places;
    this.at = places.indexOf(before);
    this.paper.style.height = `${places.length * HEIGHT}px`;
    this.box.scrollTop = Math.max(0, this.at) * HEIGHT;
    this.draw();
  }

  go(step) {
    return this.choose(Math.min(this.places.length - 1, Math.max(0, this.at + step)));
  }

  choose(at) {
    if (at < 0 || at >= this.places.length) return;
    this.at = at;
    const [top, bottom] = [at * HEIGHT, (at + 1) * HEIGHT];
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    if (bottom > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = bottom - this.box.clientHeight;
    this.draw();
    this.open(this.places[at]);
  }

  key(event) {
    const pages = Math.floor(this.box.clientHeight / HEIGHT);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: pages, PageUp: -pages, Home: -1e9, End: 1e9 };
    if (event.key in steps) {
      event.preventDefault();
      this.go(steps[event.key]);
    }
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(this.places.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / HEIGHT) + SPARE);
    const rows = [];
    for (let at = first; at < last; at++) rows.push(this.row(at));
    this.paper.replaceChildren(...rows);
    const chosen = this.at >= first && this.at < last;
    if (chosen) this.box.setAttribute("aria-activedescendant", `row-${this.at}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(at) {
    const index = this.index;
    const place = this.places[at];
    const marked = [...marks.keys()].some((key) => key.startsWith(index.id[place]));
    const title = index.headline[place] ? shown(index.headline[place], 120) : el("em", {}, "no headline");
    const facts = [
      `certain to ${index.least[place].toFixed(2)}`,
      index.doubtful[place] ? `${index.doubtful[place]} in doubt` : "",
      index.dropped[place] ? `${index.dropped[place]} dropped` : "",
      index.change[place] ? plain(index.change[place], 30) : "",
    ];
    const row = el(
      "div",
      {
        id: `row-${at}`, role: "option", class: "row", "aria-selected": at === this.at ? "true" : "false",
        "aria-setsize": this.places.length, "aria-posinset": at + 1, onclick: () => this.choose(at),
      },
      el("span", { class: "title" }, marked ? el("span", { class: "dot", title: "marked" }, "●") : null, title),
      el("span", { class: "path" }, shown(index.uri[place], 120)),
      el("span", { class: "facts" }, facts.filter(Boolean).join(" · ")),
    );
    row.style.top = `${at * HEIGHT}px`;
    return row;
  }
}
