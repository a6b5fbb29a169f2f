// One document: its fields with where they came from, and its lines, raw beside clean.

import { byId, el, shown } from "./base.js";
import { FATES, LABELS, META } from "./data.js";
import { askField, askLabel } from "./dialogs.js";
import { fieldMark, lineMark, markField, markLine } from "./store.js";

const FIRST = 1500; // lines drawn at once; the rest on demand
const LONGEST = 4000; // characters of a line drawn at once

export const labelOf = (line) => LABELS[line.main.label];
export const fateOf = (line) => FATES[line.main.label];
export const inDoubt = (line) => !line.blank && line.main.sure < META.doubt && !line.main.evidence.startsWith("human:");

/** Draws documents into the pane and moves about in them. */
export class Pane {
  constructor() {
    this.box = byId("document");
    this.lines = [];
    this.at = -1;
    this.box.addEventListener("focusin", (event) => {
      const row = event.target.closest?.(".line");
      if (row) this.at = Number(row.dataset.at);
    });
  }

  show(one, lines) {
    this.one = one;
    this.lines = lines;
    this.at = -1;
    this.box.replaceChildren(this.head(), this.fields(), this.text(FIRST));
    this.box.scrollTop = 0;
  }

  head() {
    const one = this.one;
    const facts = [one.source, one.site && `site ${one.site}`, one.encoding, one.repairs.length && `repaired: ${one.repairs.join(", ")}`, one.change && `since ${META.since}: ${one.change}`];
    return el(
      "header",
      {},
      el("button", { type: "button", class: "back", onclick: () => document.body.classList.remove("reading") }, "← list"),
      el("h2", {}, one.headline ? shown(one.headline, 400) : el("em", {}, "no headline")),
      el("p", { class: "path" }, shown(one.uri, 400)),
      el("p", { class: "facts" }, shown(facts.filter(Boolean).join(" · "), 600)),
    );
  }

  fields() {
    const one = this.one;
    const said = (name) => one.fields[name] !== undefined || fieldMark(one, name) || one.provenance.some(([field]) => field === name);
    const [told, untold] = [true, false].map((wanted) => Object.keys(META.fields).filter((name) => Boolean(said(name)) === wanted));
    const open = !matchMedia("(max-width: 760px)").matches;
    const more = untold.map((name) => el("button", { type: "button", class: "edit", "aria-label": `mend ${name}`, onclick: () => this.mend(name) }, name));
    return el(
      "details",
      { id: "fields", open },
      el("summary", {}, "Fields"),
      el("table", { class: "fields" }, el("tbody", {}, told.map((name) => this.field(name)))),
      untold.length ? el("p", { class: "facts" }, "The page does not say: ", more) : null,
    );
  }

  mend(name) {
    const one = this.one;
    const now = one.fields[name] ?? null;
    const mark = fieldMark(one, name);
    askField(name, mark ? mark.value : now, (value, note) => {
      markField(one, name, same(value, now) ? undefined : value, now, note);
      const open = byId("fields").open;
      byId("fields").replaceWith(this.fields());
      byId("fields").open = open;
      byId("fields").querySelector(`[aria-label="mend ${name}"]`).focus();
    });
  }

  field(name) {
    const one = this.one;
    const mark = fieldMark(one, name);
    const now = one.fields[name] ?? null;
    const said = mark ? mark.value : now;
    const read = one.provenance.filter(([field]) => field === name);
    const others = read.filter(([, , , used]) => !used);
    return el(
      "tr",
      { class: mark ? "marked" : "" },
      el("th", { scope: "row" }, name),
      el("td", {}, written(said), mark ? el("span", { class: "was" }, " was ", written(now)) : null),
      el(
        "td",
        { class: "evidence" },
        [...new Set(read.filter(([, , , used]) => used).map(([, , evidence]) => evidence))].join(", "),
        others.length ? el("span", { class: "conflict" }, " not used: ", others.map(([, value, evidence]) => el("span", {}, shown(value ?? "", 120), ` (${evidence}) `))) : null,
      ),
      el("td", {}, el("button", { type: "button", class: "edit", "aria-label": `mend ${name}`, onclick: () => this.mend(name) }, "mend")),
    );
  }

  text(most) {
    const box = el("div", { class: "lines", role: "list", "aria-label": "Lines" });
    this.lines.slice(0, most).forEach((_, at) => box.append(this.line(at)));
    if (this.lines.length > most) {
      const rest = el("button", { type: "button", class: "rest", onclick: () => {
        rest.replaceWith(...this.lines.slice(most).map((_, at) => this.line(at + most)));
      } }, `${this.lines.length - most} more lines`);
      box.append(rest);
    }
    return el("div", { class: "text" }, el("p", { class: "heads", "aria-hidden": "true" }, el("span", {}, "raw"), el("span", {}, "label"), el("span", {}, "clean")), box);
  }

  line(at) {
    const line = this.lines[at];
    if (line.blank) return el("div", { class: "line blank", role: "listitem", "data-at": at }, el("span", { class: "number" }, line.line), el("span", { class: "sr" }, "blank"));
    const mark = lineMark(this.one, line.line);
    const label = mark ? mark.label : labelOf(line);
    const fate = FATES[LABELS.indexOf(label)];
    const classes = ["line", `l-${label}`, `f-${fate}`, inDoubt(line) && "doubtful", mark && "marked"].filter(Boolean);
    return el(
      "div",
      { class: classes.join(" "), role: "listitem", tabindex: at === Math.max(0, this.at) ? 0 : -1, "data-at": at, onclick: (event) => this.clicked(event, at) },
      el("span", { class: "number" }, line.line),
      el("span", { class: "raw" }, line.spans.map((span) => this.raw(span, mark && fate))),
      el("button", { type: "button", class: "label", tabindex: -1, "aria-label": `label ${label}, choose another`, onclick: () => this.ask(at) }, label, mark ? " ✎" : ""),
      el("span", { class: "clean" }, this.clean(line, mark && label)),
      el("span", { class: "why" }, this.why(line, mark)),
    );
  }

  raw(span, said) {
    const fate = said ?? FATES[span.label];
    const text = shown(span.before ?? span.text, LONGEST);
    return fate === "dropped" ? el("s", {}, text) : text;
  }

  clean(line, said) {
    if (!said) return line.spans.map((span) => cleaned(LABELS[span.label], span.text));
    return cleaned(said, line.text);
  }

  why(line, mark) {
    const told = line.spans.map((span) => {
      const reason = META.reasons[span.evidence];
      return `${LABELS[span.label]} · ${span.evidence} · ${span.sure.toFixed(2)}${reason ? ` · ${reason}` : ""}`;
    });
    if (mark) told.unshift(`you: ${mark.label}${mark.note ? ` (${mark.note})` : ""}`);
    return told.join("  |  ");
  }

  clicked(event, at) {
    if (!event.target.closest("button") && !String(getSelection())) this.focus(at);
  }

  row(at) {
    return this.box.querySelector(`.line[data-at="${at}"]`);
  }

  focus(at) {
    const row = this.row(at);
    if (!row) return false;
    this.box.querySelector('.line[tabindex="0"]')?.setAttribute("tabindex", "-1");
    row.setAttribute("tabindex", "0");
    this.at = at;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** To the next line in a direction that fits; whether there was one. */
  step(by, fits = () => true) {
    for (let at = this.at + by; at >= 0 && at < this.lines.length; at += by) {
      if (!this.lines[at].blank && fits(this.lines[at])) return this.focus(at);
    }
    return false;
  }

  ask(at = this.at) {
    const line = this.lines[at];
    if (!line || line.blank) return;
    const mark = lineMark(this.one, line.line);
    askLabel(line, mark?.label ?? labelOf(line), (label, note) => this.mark(at, label, note));
  }

  /** Say what the line is; null takes it back. */
  mark(at, label, note) {
    const line = this.lines[at];
    if (!line || line.blank) return;
    markLine(this.one, line, label, labelOf(line), note);
    const again = this.at;
    this.at = at;
    this.row(at)?.replaceWith(this.line(at));
    this.at = again;
    this.focus(at);
  }

  wrong() {
    const line = this.lines[this.at];
    if (line && !line.blank) this.mark(this.at, fateOf(line) === "text" ? "other_boilerplate" : "body");
  }

  right() {
    const line = this.lines[this.at];
    if (line && !line.blank) this.mark(this.at, labelOf(line));
  }
}

function cleaned(label, text) {
  const fate = FATES[LABELS.indexOf(label)];
  if (fate === "dropped") return null;
  const inside = shown(text, LONGEST);
  if (label === "heading") return el("b", {}, inside);
  return fate === "field" ? el("span", { class: "arrow" }, `→ ${label}`) : inside;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** A field's value as nodes. */
export function written(value) {
  if (value === null || value === undefined) return el("span", { class: "none" }, "–");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length ? value.flatMap((one, at) => [at ? "; " : "", shown(one, 300)]) : el("span", { class: "none" }, "–");
  if (typeof value === "object") return shown(["place", "date", "agency"].map((part) => value[part]).filter(Boolean).join(" · "), 300);
  return shown(String(value), 600);
}
