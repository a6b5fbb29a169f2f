// The overview: a few figures drawn, each with its numbers as a table beside it.

import { byId, el, number, plain, svg } from "./base.js";
import { FATES, LABELS, META } from "./data.js";

const ROWS = 18;
const WIDTH = 640;

/** Horizontal bars; `kind` of a row gives its class. */
function bars(title, pairs, kind = () => "") {
  const rows = pairs.slice(0, ROWS);
  const most = Math.max(1, ...rows.map(([, value]) => value));
  const step = 22;
  const drawn = rows.flatMap(([name, value], at) => [
    svg("text", { x: 168, y: at * step + 15, "text-anchor": "end" }, plain(name, 26)),
    svg("rect", { x: 176, y: at * step + 3, width: Math.max(1, (value / most) * 380), height: 16, class: `bar ${kind(name)}` }),
    svg("text", { x: 182 + (value / most) * 380, y: at * step + 15, class: "value" }, number(value)),
  ]);
  return figure(title, drawn, rows.length * step + 4, pairs);
}

/** Upright bars. */
function columns(title, pairs, name = (key) => key) {
  const most = Math.max(1, ...pairs.map(([, value]) => value));
  const step = WIDTH / Math.max(pairs.length, 6);
  const each = Math.ceil(pairs.length / 12);
  const drawn = pairs.flatMap(([key, value], at) => {
    const high = Math.max(value ? 1 : 0, (value / most) * 140);
    const bar = svg("rect", { x: at * step + 2, y: 150 - high, width: Math.max(2, step - 4), height: high, class: "bar" });
    const below = svg("text", { x: at * step + step / 2, y: 168, "text-anchor": "middle" }, name(key));
    return at % each ? [bar] : [bar, below];
  });
  return figure(title, drawn, 176, pairs.map(([key, value]) => [name(key), value]));
}

function figure(title, drawn, height, pairs) {
  const rows = pairs.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, plain(name, 60)), el("td", {}, number(value))));
  return el(
    "figure",
    {},
    el("figcaption", {}, title),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title }, drawn),
    el("details", {}, el("summary", {}, "as numbers"), el("table", {}, el("tbody", {}, rows))),
  );
}

const sum = (counts) => Object.values(counts).reduce((all, one) => all + one, 0);

export function drawOverview(index) {
  const found = META.figures;
  const fate = (name) => `f-${FATES[LABELS.indexOf(name)]}`;
  const dropped = sum(found.dropped);
  const lines = sum(found.label);
  const bins = [...Array(20).keys()].map((bin) => [bin / 20, found.bins[bin] ?? 0]);
  const years = Object.entries(found.year).sort(([a], [b]) => (a < b ? -1 : 1));
  const doubtful = index.doubtful.filter(Boolean).length;
  byId("overview").append(
    el("h2", {}, "Overview"),
    el("p", {}, plain(META.told, 200)),
    el(
      "p",
      {},
      `${number(found.documents)} documents, ${number(lines)} lines that are not blank; ${number(dropped)} left out. `,
      `${number(doubtful)} of the ${number(index.id.length)} documents listed have a line under ${META.doubt}.`,
    ),
    el(
      "div",
      { class: "plots" },
      bars("Lines by label", Object.entries(found.label), fate),
      bars("Dropped lines by evidence", Object.entries(found.dropped), () => "f-dropped"),
      bars("All lines by evidence", Object.entries(found.evidence)),
      columns("Lines by confidence", bins, (key) => Number(key).toFixed(2)),
      columns("Documents by year of publication", years),
      bars("Documents by source", Object.entries(found.source)),
    ),
  );
}
