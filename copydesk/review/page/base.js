// What everything else stands on: elements made by hand, and foreign text shown as text.

const SVG = "http://www.w3.org/2000/svg";

/** An element. Attributes by name; `on…` are listeners; children are elements or strings, which become text. */
export function el(name, attributes = {}, ...children) {
  return finished(document.createElement(name), attributes, children);
}

/** The same for a drawing. */
export function svg(name, attributes = {}, ...children) {
  return finished(document.createElementNS(SVG, name), attributes, children);
}

function finished(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (name) => document.getElementById(name);

// Control characters, line and paragraph separators, marks that turn the direction of text, soft hyphens, byte order
// marks, unpaired surrogates: invisible, or able to make a line look like another one. Joiners stay: scripts need them.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

const point = (char) => "U+" + char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

/** Foreign text as nodes: isolated from its surroundings, hidden characters written out. */
export function shown(text, longest = Infinity) {
  const cut = text.length > longest ? text.slice(0, longest) : text;
  const box = el("bdi", { dir: "auto" });
  let from = 0;
  for (const found of cut.matchAll(HIDDEN)) {
    box.append(cut.slice(from, found.index), el("span", { class: "hidden-char" }, point(found[0])));
    from = found.index + found[0].length;
  }
  box.append(cut.slice(from));
  if (cut.length < text.length) box.append(el("span", { class: "cut" }, ` … ${text.length - cut.length} more characters`));
  return box;
}

/** Foreign text where only a string can go (attributes, options): without hidden characters, short. */
export const plain = (text, longest = 80) =>
  (text ?? "").replace(HIDDEN, "\ufffd").slice(0, longest);

export const number = (value) => value.toLocaleString("en-US");

let clearing;

/** Tell something at the bottom of the page, for eyes and for screen readers. */
export function say(text) {
  const place = byId("said");
  place.textContent = text;
  clearTimeout(clearing);
  clearing = setTimeout(() => (place.textContent = ""), 4000);
}

/** SHA-256 of a text as UTF-8, in hexadecimal: the page must work where the browser offers no crypto to files. */
export function sha256(text) {
  const bytes = new TextEncoder().encode(text);
  const [keys, state] = constants();
  const padded = new Uint8Array(((bytes.length + 9 + 63) >> 6) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(padded.length - 4, bytes.length << 3);
  for (let at = 0; at < padded.length; at += 64) digestBlock(view, at, keys, state);
  return [...state].map((word) => word.toString(16).padStart(8, "0")).join("");
}

/** The first 64 and 8 primes' roots, as FIPS 180-4 defines them. */
function constants() {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const part = (root) => Math.floor((root - Math.floor(root)) * 0x100000000) >>> 0;
  return [primes.map((p) => part(Math.cbrt(p))), Uint32Array.from(primes.slice(0, 8), (p) => part(Math.sqrt(p)))];
}

function digestBlock(view, at, keys, state) {
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  const w = new Uint32Array(64);
  for (let i = 0; i < 16; i++) w[i] = view.getUint32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const one = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
    const two = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
    w[i] = w[i - 16] + one + w[i - 7] + two;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + keys[i] + w[i]) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] += word));
}
