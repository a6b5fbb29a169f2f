// The audit: a drawn sample of lines, judged one by one, right or wrong.

import { byId, el, number, say, shown } from "./base.js";
import { LABELS, META, documentAt, linesOf } from "./data.js";
import { download, judge, verdicts, who } from "./store.js";

const AROUND = 6;
const QUESTIONS = {
  kept: "This line was kept as text of the article. Right?",
  out: "This line was left out of the text. Right?",
};

/** The sample in META.audit: where one is, and what was said. */
export class Audit {
  constructor(index) {
    this.index = index;
    this.places = new Map(index.id.map((id, place) => [id, place]));
    this.lines = META.audit.lines;
    this.at = Math.max(0, this.lines.findIndex((_, number) => !verdicts.has(number)));
    this.box = byId("audit");
    this.count();
  }

  count() {
    byId("audit-count").textContent = `${verdicts.size}/${this.lines.length}`;
  }

  async draw() {
    const [id, line, span, , decision] = this.lines[this.at];
    const place = this.places.get(id);
    const lines = linesOf(await documentAt(place));
    const here = lines.findIndex((one) => one.line === line);
    const context = lines.slice(Math.max(0, here - AROUND), here + AROUND + 1).filter((one) => !one.blank);
    const said = verdicts.get(this.at);
    const button = (verdict, told, key) =>
      el("button", { type: "button", class: verdict, "aria-pressed": said === verdict ? "true" : "false", onclick: () => this.say(verdict) }, el("kbd", {}, key), ` ${told}`);
    this.box.replaceChildren(
      el("h2", {}, `Line ${number(this.at + 1)} of ${number(this.lines.length)}`),
      el("p", { class: "path" }, shown(this.index.uri[place], 300)),
      el("p", { class: "question" }, QUESTIONS[decision]),
      el("div", { class: "verdicts" }, button("right", "right", "r"), button("wrong", "wrong", "w"), button("unsure", "cannot say", "s")),
      el("div", { class: "context" }, context.map((one) => this.line(one, one.line === line ? span : null))),
      el("p", {}, el("button", { type: "button", onclick: () => this.go(-1) }, el("kbd", {}, "k"), " back"), el("button", { type: "button", onclick: () => this.go(1) }, el("kbd", {}, "j"), " on")),
      el("p", { class: "facts" }, "Text is what belongs to the article: its paragraphs and section headings. Titles, bylines, dates, captions, links and notices are not."),
      el("button", { type: "button", onclick: () => this.export() }, `Export ${META.audit.file}`),
    );
  }

  line(one, chosen) {
    const parts = one.spans.map((span, at) => {
      const dropped = META.labels[span.label].fate !== "text";
      const text = shown(span.text, 2000);
      const inside = dropped ? el("s", {}, text) : text;
      return chosen === at ? el("mark", {}, inside) : inside;
    });
    return el("p", { class: chosen === null ? "" : "asked" }, el("span", { class: "number" }, one.line), parts, " ", el("span", { class: "facts" }, LABELS[one.main.label]));
  }

  go(step) {
    this.at = Math.min(this.lines.length - 1, Math.max(0, this.at + step));
    return this.draw();
  }

  say(verdict) {
    judge(this.at, verdict);
    this.count();
    if (this.at === this.lines.length - 1) say("That was the last line: export the audit");
    return this.go(1);
  }

  export() {
    const name = who();
    if (!name) return;
    const { lines, file, ...head } = META.audit;
    const records = [...verdicts].sort(([a], [b]) => a - b).map(([at, verdict]) => {
      const [id, line, span, stratum, decision] = lines[at];
      return { id, line, span, stratum, decision, verdict, who: name };
    });
    download(file, [head, ...records].map((one) => JSON.stringify(one) + "\n").join(""));
  }

  key(key) {
    const done = { r: () => this.say("right"), w: () => this.say("wrong"), s: () => this.say("unsure"), j: () => this.go(1), k: () => this.go(-1), e: () => this.export() }[key];
    done?.();
    return Boolean(done);
  }
}
