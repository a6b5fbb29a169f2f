// Filters over the index: which documents are listed, in which order.

import { byId, el, number, plain } from "./base.js";
import { LABELS, META } from "./data.js";

const ORDERS = {
  certain: "least certain first",
  uri: "by path",
  date: "by date",
  dropped: "most dropped first",
};

const choices = (values) => [...new Set(values.filter(Boolean))].sort();

function select(name, told, options) {
  const pairs = options.map((one) => (Array.isArray(one) ? one : [one, plain(one, 60)]));
  const items = [["", "any"], ...pairs].map(([value, text]) => el("option", { value }, text));
  return el("label", {}, told, el("select", { name }, items));
}

/** Fill the form; `changed` is called with the places that fit, in order, whenever they change. */
export function setUpFilters(index, changed) {
  const labels = LABELS.filter((label, code) => label !== "blank" && index.labels.some((bits) => bits & (1 << code)));
  const changes = choices(index.change).map((one) => [one, plain(one, 60)]);
  const form = byId("filters");
  form.append(
    el("label", { class: "wide" }, "Search", el("input", { name: "text", type: "search", placeholder: "title or path", autocomplete: "off" })),
    select("source", "Source", choices(index.source)),
    select("site", "Site", choices(index.site)),
    select("label", "Holds a", labels),
    select("evidence", "On evidence of", choices(index.evidence.flat())),
    select("least", "Certainty under", [["0.5", "0.5"], ["0.6", "0.6"], ["0.7", "0.7"], ["0.8", "0.8"], ["0.9", "0.9"]]),
    ...(META.since ? [select("change", `Since ${META.since}`, [["*", "changed"], ...changes])] : []),
    el("label", {}, "Order", el("select", { name: "order" }, Object.entries(ORDERS).map(([value, text]) => el("option", { value }, text)))),
    el("button", { type: "reset" }, "Clear"),
  );
  const settle = () => {
    const places = chosen(index, new FormData(form));
    const of = index.id.length === META.figures.documents ? "" : ` (the least certain of ${number(META.figures.documents)})`;
    byId("found").textContent = `${number(places.length)} of ${number(index.id.length)} documents${of}`;
    changed(places);
  };
  form.addEventListener("input", settle);
  form.addEventListener("reset", () => setTimeout(settle));
  form.addEventListener("submit", (event) => event.preventDefault());
  settle();
}

function chosen(index, asked) {
  const words = asked.get("text").toLowerCase().split(/\s+/u).filter(Boolean);
  const bit = asked.get("label") ? 1 << LABELS.indexOf(asked.get("label")) : 0;
  const change = asked.get("change");
  const fits = (at) =>
    (!asked.get("source") || index.source[at] === asked.get("source")) &&
    (!asked.get("site") || index.site[at] === asked.get("site")) &&
    (!bit || index.labels[at] & bit) &&
    (!asked.get("evidence") || index.evidence[at].includes(asked.get("evidence"))) &&
    (!asked.get("least") || index.least[at] < Number(asked.get("least"))) &&
    (!change || (change === "*" ? index.change[at] !== null : index.change[at] === change)) &&
    words.every((word) => index.search[at].includes(word));
  const places = [...index.id.keys()].filter(fits);
  const by = {
    uri: (a, b) => (index.uri[a] < index.uri[b] ? -1 : 1),
    date: (a, b) => (index.date[a] < index.date[b] ? -1 : index.date[a] > index.date[b] ? 1 : a - b),
    dropped: (a, b) => index.dropped[b] - index.dropped[a] || a - b,
  }[asked.get("order")];
  return by ? places.sort(by) : places; // the index itself has the least certain first
}
