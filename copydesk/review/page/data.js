// The data blocks: what is small at once, documents when they are looked at.

import { byId } from "./base.js";

export const META = JSON.parse(byId("meta").textContent);
export const LABELS = META.labels.map((one) => one.label);
export const FATES = META.labels.map((one) => one.fate);

const HELD = 6; // pieces kept unpacked: some 2 MB each at most

async function unpacked(name) {
  const binary = atob(byId(name).textContent);
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(stream).text());
}

export const loadIndex = () => unpacked("index");

const held = new Map();

/** A document by its place in the index: its fields, provenance and lines. */
export async function documentAt(place) {
  const number = Math.floor(place / META.chunk);
  if (!held.has(number)) {
    held.set(number, unpacked(`chunk-${number}`));
    if (held.size > HELD) held.delete(held.keys().next().value);
  }
  return (await held.get(number))[place % META.chunk];
}

/** The spans of a document as lines: number, spans, and of the largest span label, evidence and confidence. */
export function linesOf(found) {
  const lines = [];
  for (const [line, label, evidence, sure, text, before] of found.lines) {
    const span = { label, evidence, sure: sure / 1000, text, before };
    if (lines.length && lines.at(-1).line === line) lines.at(-1).spans.push(span);
    else lines.push({ line, spans: [span] });
  }
  for (const one of lines) {
    one.main = one.spans.reduce((best, span) => (span.text.length > best.text.length ? span : best));
    one.text = one.spans.map((span) => span.text).join("");
    one.blank = one.spans.every((span) => LABELS[span.label] === "blank");
  }
  return lines;
}
