// Marks: what the reader says. A mark is the record that is exported, by the line or field it is about.

import { META } from "./data.js";
import { byId, say, sha256 } from "./base.js";

const PLACE = `copydesk review: ${META.told}`;
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.@-]{0,63}$/u;
const listeners = [];

export const marks = new Map(read("marks"));
export const verdicts = new Map(read("verdicts"));

function read(what) {
  try {
    return JSON.parse(localStorage.getItem(`${PLACE}: ${what}`) ?? "[]");
  } catch {
    return []; // no storage for this file: marks last as long as the page
  }
}

function keep() {
  try {
    localStorage.setItem(`${PLACE}: marks`, JSON.stringify([...marks]));
    localStorage.setItem(`${PLACE}: verdicts`, JSON.stringify([...verdicts]));
    localStorage.setItem("copydesk who", byId("who").value);
  } catch {
    // as above
  }
  for (const told of listeners) told();
}

export const onMarks = (listener) => listeners.push(listener);

export function restoreName() {
  try {
    byId("who").value = localStorage.getItem("copydesk who") ?? "";
  } catch {
    byId("who").value = "";
  }
  byId("who").addEventListener("change", keep);
}

const head = (one) => ({ id: one.id, source: one.source, uri: one.uri, raw_sha256: one.raw_sha256 });

export const lineMark = (one, line) => marks.get(`${one.id} line ${line}`);
export const fieldMark = (one, name) => marks.get(`${one.id} field ${name}`);

/** Say what a line is; null takes the mark back. */
export function markLine(one, line, label, was, note) {
  const key = `${one.id} line ${line.line}`;
  marks.delete(key);
  if (label !== null) {
    const text = [...line.text].slice(0, 200).join("");
    marks.set(key, { ...head(one), line: line.line, text_sha256: sha256(line.text), text, label, was, ...(note ? { note } : {}) });
  }
  keep();
}

/** Say what a field is; undefined takes the mark back. */
export function markField(one, name, value, was, note) {
  const key = `${one.id} field ${name}`;
  marks.delete(key);
  if (value !== undefined) marks.set(key, { ...head(one), field: name, value, was, ...(note ? { note } : {}) });
  keep();
}

export function takeBack(key) {
  marks.delete(key);
  keep();
}

/** Say whether what became of a sampled line is right; null takes it back. */
export function judge(number, verdict) {
  if (verdict === null) verdicts.delete(number);
  else verdicts.set(number, verdict);
  keep();
}

/** The reader's name, or null after asking for one. */
export function who() {
  const field = byId("who");
  const name = field.value.trim().replace(/\s+/gu, "_");
  if (NAME.test(name)) return name;
  field.focus();
  say("Give your name first: letters, digits, . _ @ -");
  return null;
}

const ordered = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The marks as JSON lines, by document and line: the order in which they were made does not matter. */
export function corrections(name) {
  const records = [...marks.values()].sort(
    (a, b) => ordered(a.source, b.source) || ordered(a.uri, b.uri) || (a.line ?? 0) - (b.line ?? 0) || ordered(a.field ?? "", b.field ?? ""),
  );
  return records.map((one) => JSON.stringify({ ...one, who: name }) + "\n").join("");
}

/** Take in the records of a file that was exported before; gives how many. */
export function takeIn(text) {
  const records = text.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line));
  for (const { who: _, ...one } of records) {
    marks.set(one.field === undefined ? `${one.id} line ${one.line}` : `${one.id} field ${one.field}`, one);
  }
  keep();
  return records.length;
}

export function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/jsonl" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  say(`${name} is saved where your browser puts downloads`);
}
