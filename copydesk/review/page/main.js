// What happens when: views, keys, export.

import { byId, el, plain, say, shown } from "./base.js";
import { META, documentAt, linesOf, loadIndex } from "./data.js";
import { showHelp } from "./dialogs.js";
import { Pane, inDoubt, written } from "./document.js";
import { setUpFilters } from "./filters.js";
import { List } from "./list.js";
import { drawOverview } from "./plots.js";
import { Audit } from "./audit.js";
import { corrections, download, marks, onMarks, restoreName, takeBack, takeIn, who } from "./store.js";

byId("name").append(shown(META.name, 80));
byId("version").textContent = META.version ?? "";

const index = await loadIndex();
index.search = index.id.map((_, at) => `${index.headline[at] ?? ""} ${index.uri[at]}`.toLowerCase());
const pane = new Pane();
let opened = 0;

async function open(place) {
  const turn = ++opened;
  const found = await documentAt(place);
  if (turn !== opened) return; // another one was chosen meanwhile
  const known = Object.fromEntries(["source", "site", "outlet", "uri", "headline", "change"].map((name) => [name, index[name][place]]));
  pane.show({ ...found, ...known }, linesOf(found));
}

const list = new List(index, (place) => {
  document.body.classList.add("reading");
  return open(place);
});
setUpFilters(index, (places) => list.show(places));
if (!matchMedia("(max-width: 760px)").matches && list.places.length) {
  list.choose(0);
}

const audit = META.audit ? new Audit(index) : null;

function drawMarks() {
  const rows = [...marks].map(([key, one]) =>
    el(
      "tr",
      {},
      el("td", {}, shown(one.uri, 80), one.line ? `, line ${one.line}` : `, ${one.field}`),
      el("td", {}, one.line ? shown(one.text ?? "", 100) : written(one.was)),
      el("td", {}, one.line ? `${one.was ?? ""} → ${one.label}` : written(one.value)),
      el("td", {}, plain(one.note ?? "", 200)),
      el("td", {}, el("button", { type: "button", "aria-label": `take back ${plain(key, 60)}`, onclick: () => takeBack(key) }, "take back")),
    ),
  );
  const file = el("input", { type: "file", id: "earlier", accept: ".jsonl,.json,.txt" });
  file.addEventListener("change", async () => {
    try {
      say(`${takeIn(await file.files[0].text())} marks read`);
    } catch {
      say("That is no file of corrections");
    }
  });
  const head = ["where", "was", "is", "note", ""].map((name) => el("th", { scope: "col" }, name || el("span", { class: "sr" }, "take back")));
  byId("marks").replaceChildren(
    el("h2", {}, "Marks"),
    el("p", {}, "Export them as corrections.jsonl and name the file in copydesk.toml: corrections = [\"corrections.jsonl\"] under [ingest]. The next ingest judges these documents again, and nobody else's word is stronger."),
    el("p", {}, el("label", { for: "earlier" }, "Go on with marks exported before: "), file),
    rows.length ? el("div", { class: "wide-table", tabindex: 0, role: "region", "aria-label": "Marks" }, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows))) : el("p", { class: "none" }, "Nothing is marked yet."),
  );
}

function exported() {
  if (view === "audit") return audit.export();
  if (!marks.size) return say("Nothing is marked yet");
  const name = who();
  return name && download("corrections.jsonl", corrections(name));
}

let view = "documents";

function see(name) {
  if (name === "audit" && !audit) return;
  view = name;
  for (const section of document.querySelectorAll(".view")) section.hidden = section.id !== name;
  for (const button of document.querySelectorAll("nav button")) button.setAttribute("aria-pressed", String(button.dataset.view === name));
  if (name === "overview" && !byId("overview").hasChildNodes()) drawOverview(index);
  if (name === "marks") drawMarks();
  if (name === "audit") audit.draw();
  if (name === "documents") list.draw();
}

function theme() {
  const dark = getComputedStyle(document.documentElement).colorScheme.trim() === "dark";
  document.documentElement.dataset.theme = dark ? "light" : "dark";
}

async function nextDoubt() {
  if (pane.step(1, inDoubt)) return;
  for (let at = list.at + 1; at < list.places.length; at++) {
    if (index.doubtful[list.places[at]]) {
      list.at = at;
      await list.choose(at);
      list.draw();
      await open(list.places[at]);
      pane.step(1, inDoubt);
      return;
    }
  }
  say("No further line is in doubt");
}

const REMOTE = {
  o: () => see("overview"), d: () => see("documents"), m: () => see("marks"), a: () => see("audit"),
  "?": showHelp, t: theme, e: exported,
};
const READING = {
  j: () => pane.step(1), k: () => pane.step(-1), ArrowDown: () => pane.step(1), ArrowUp: () => pane.step(-1),
  n: () => list.go(1), p: () => list.go(-1), u: nextDoubt, Enter: () => pane.ask(), x: () => pane.wrong(),
  c: () => pane.right(), z: () => pane.mark(pane.at, null), f: () => byId("fields")?.querySelector("button").focus(),
  "/": () => byId("filters").elements.text.focus(),
  Escape: () => document.body.classList.remove("reading"),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("dialog").open || event.defaultPrevented) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.target.matches("button, summary") && (event.key === "Enter" || event.key === " ")) return;
  if (event.target.id === "list" && event.key.startsWith("Arrow")) return;
  if (view === "audit" && audit.key(event.key)) return event.preventDefault();
  const done = REMOTE[event.key] ?? (view === "documents" ? READING[event.key] : undefined);
  if (!done) return;
  event.preventDefault();
  done();
});

for (const button of document.querySelectorAll("nav button")) button.addEventListener("click", () => see(button.dataset.view));
byId("help").addEventListener("click", showHelp);
byId("theme").addEventListener("click", theme);
byId("export").addEventListener("click", exported);
onMarks(() => {
  byId("mark-count").textContent = marks.size;
  list.draw();
  if (view === "marks") drawMarks();
});
byId("mark-count").textContent = marks.size;
restoreName();
if (audit) {
  document.querySelector('[data-view="audit"]').hidden = false;
  see("audit");
}
document.documentElement.dataset.ready = "yes";
