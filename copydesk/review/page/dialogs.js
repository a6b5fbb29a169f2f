// The dialogs: which label a line has, what a field should be, the keys.

import { byId, el, shown } from "./base.js";
import { LABELS, META } from "./data.js";

/** A letter for each label that a line can be given. */
export const LETTERS = {
  body: "b", heading: "h", headline: "t", deck: "d", dateline: "p", byline: "y", date_line: "w", section_label: "s",
  tags: "g", related_link: "r", navigation: "n", comment_prompt: "c", share_prompt: "f", caption: "i", advert: "a",
  copyright: "o", other_boilerplate: "x",
};

const KEYS = [
  ["j k", "next and previous line"],
  ["n p", "next and previous document"],
  ["u", "next line in doubt, in the next document if need be"],
  ["Enter", "choose the line's label"],
  ["x", "wrong: a line that was kept is furniture, one that was left out is text"],
  ["c", "right: the line is what it was taken for"],
  ["z", "take the mark back"],
  ["f", "go to the fields; Enter there mends one"],
  ["/", "search"],
  ["d o a m", "documents, overview, audit, marks"],
  ["e", "export"],
  ["t", "light or dark"],
  ["?", "this help"],
  ["Esc", "close; on a small screen, back to the list"],
];

const box = () => byId("dialog");

function ask(title, ...inside) {
  const dialog = box();
  dialog.replaceChildren(el("h2", { id: "dialog-title" }, title), ...inside);
  dialog.onkeydown = null;
  dialog.showModal();
}

const close = () => box().close();

export function showHelp() {
  const rows = KEYS.map(([keys, told]) => el("tr", {}, el("th", { scope: "row" }, keys.split(" ").map((key) => el("kbd", {}, key))), el("td", {}, told)));
  ask("Keys", el("table", { class: "keys" }, el("tbody", {}, rows)), el("button", { type: "button", onclick: close }, "Close"));
}

/** Ask what a line is; `chosen` gets the label and a note. */
export function askLabel(line, now, chosen) {
  const note = el("input", { id: "note", autocomplete: "off", maxlength: 500 });
  const done = (label) => {
    close();
    chosen(label, note.value.trim());
  };
  const items = META.labels.filter((one) => one.label !== "blank").map((one) =>
    el(
      "button",
      { type: "button", class: `choice f-${one.fate}`, "aria-pressed": one.label === now ? "true" : "false", onclick: () => done(one.label) },
      el("kbd", {}, LETTERS[one.label]),
      el("b", {}, one.label),
      el("span", {}, one.meaning),
    ),
  );
  ask(
    `What is line ${line.line}?`,
    el("blockquote", {}, shown(line.text, 300)),
    el("div", { class: "choices" }, items),
    el("label", { for: "note", class: "note" }, "Note (optional)", note),
    el("button", { type: "button", onclick: close }, "Leave it"),
  );
  box().onkeydown = (event) => {
    const label = LABELS.find((one) => LETTERS[one] === event.key);
    if (event.target === note || event.ctrlKey || event.metaKey || event.altKey || !label) return;
    event.preventDefault();
    done(label);
  };
  (items.find((one) => one.getAttribute("aria-pressed") === "true") ?? items[0]).focus();
}

const PARTS = ["place", "date", "agency"];
const TIME = "[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?";

function control(kind, now) {
  switch (kind) {
    case "flag":
      return el("select", { id: "value" }, el("option", { value: "true", selected: now === true }, "yes"), el("option", { value: "false", selected: now !== true }, "no"));
    case "list":
      return filled("textarea", { id: "value", rows: 5 }, (now ?? []).join("\n"));
    case "time":
      return filled("input", { id: "value", pattern: TIME, placeholder: "2017-01-25T14:44+03:00", autocomplete: "off" }, now ?? "");
    case "dateline":
      return el("div", {}, PARTS.map((part) => el("label", {}, part, filled("input", { name: part, autocomplete: "off", required: part === "place" }, now?.[part] ?? ""))));
  }
  return filled("textarea", { id: "value", rows: 3 }, now ?? "");
}

function filled(name, attributes, value) {
  const node = el(name, attributes);
  node.value = value;
  return node;
}

function valueOf(kind, form) {
  const text = form.querySelector("#value")?.value.trim();
  switch (kind) {
    case "flag":
      return text === "true";
    case "list":
      return text.split("\n").map((one) => one.trim()).filter(Boolean);
    case "dateline":
      return Object.fromEntries(PARTS.map((part) => [part, form.elements[part].value.trim()]).filter(([, said]) => said));
  }
  return text || null;
}

const TOLD = { list: "One on a line.", time: "As printed: a day, or day and time with its offset.", text: "The text.", flag: "Yes or no.", dateline: "As written." };

/** Ask what a field should be; `chosen` gets the value and a note. */
export function askField(name, now, chosen) {
  const kind = META.fields[name];
  const note = el("input", { id: "note", autocomplete: "off", maxlength: 500 });
  const form = el("form", { class: "field" }, el("label", { for: "value" }, TOLD[kind]), control(kind, now));
  const done = (value) => {
    close();
    chosen(value, note.value.trim());
  };
  form.append(
    el("label", { for: "note", class: "note" }, "Note (optional)", note),
    el("button", { type: "submit" }, "This is right"),
    ...(kind === "flag" || kind === "list" ? [] : [el("button", { type: "button", onclick: () => done(null) }, "The page does not say")]),
    el("button", { type: "button", onclick: close }, "Leave it"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done(valueOf(kind, form));
  });
  ask(`What should ${name} be?`, form);
  form.querySelector("textarea, input, select").focus();
}
