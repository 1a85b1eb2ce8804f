// Filters, details and permalinks of the compatibility report. Everything it shows stands in the page already.

/**
 * @typedef {object} Detail One result, as conformance/report/tests.py wrote it; empty members are left out.
 * @property {string} verdict
 * @property {boolean} [expected]
 * @property {number} [ms]
 * @property {number} [waiting]
 * @property {string} [message]
 * @property {string} [rerun]
 * @property {string} [origin]
 * @property {number} [attempts]
 * @property {[number, string, string][]} [steps] milliseconds, kind, text
 * @property {[number, string, string, string, number, string, string][]} [wire]
 *   milliseconds, connection, direction, kind, size, hexadecimal, text
 * @property {Record<string, string>} [expectation]
 */
/**
 * @typedef {object} Data
 * @property {string[]} columns
 * @property {Record<string, [string, string]>} requirements level and text by id
 * @property {Record<string, Record<string, Detail>>} tests by id and column
 */

/** @type {Data} */
const data = await unpacked(element("data").textContent ?? "");
const rows = /** @type {HTMLTableRowElement[]} */ ([...element("rows").querySelectorAll("tr.row")]);
const query = /** @type {HTMLInputElement} */ (element("query"));

/** So many targets fit below one another in full. */
const FEW = 2;
const FINE = ["pass", "unsupported"];

// ---- elements ----

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * What the page embeds: JSON, gzip, base64.
 * @param {string} text
 */
async function unpacked(text) {
  const packed = new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))]);
  return new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// ---- the filter ----

/** @typedef {(row: HTMLTableRowElement, results: Record<string, Detail>, target: string | undefined) => boolean} Test */

/** @type {Record<string, (value: string) => Test>} */
const TERMS = {
  verdict: (value) => (_row, results, target) => of(results, target).some((each) => each.verdict === value),
  target: (value) => (_row, results) => value in results,
  feature: (value) => (row) => (row.dataset.features ?? "").split(" ").includes(value),
  requirement: (value) => (row) => (row.dataset.requirements ?? "").split(" ").some((each) => each.startsWith(value)),
  source: (value) => (row) => row.dataset.source === value,
  is: (value) => (_row, results, target) => {
    const shown = of(results, target);
    if (value === "unexpected") return shown.some((each) => !each.expected);
    if (value === "different") return new Set(Object.values(results).map((each) => each.verdict)).size > 1;
    return false;
  },
};

/**
 * The results that a term speaks of: those of the target that the query names, or all.
 * @param {Record<string, Detail>} results
 * @param {string | undefined} target
 */
function of(results, target) {
  if (target === undefined) return Object.values(results);
  const result = results[target];
  return result ? [result] : [];
}

/**
 * @param {string} word
 * @returns {Test}
 */
function term(word) {
  if (word.startsWith("-") && word.length > 1) {
    const inner = term(word.slice(1));
    return (row, results, target) => !inner(row, results, target);
  }
  const colon = word.indexOf(":");
  const made = colon > 0 ? TERMS[word.slice(0, colon)] : undefined;
  if (made) return made(word.slice(colon + 1));
  const wanted = word.toLowerCase();
  return (row, results) =>
    (row.cells[0]?.textContent ?? "").toLowerCase().includes(wanted) ||
    Object.values(results).some((each) => (each.message ?? "").toLowerCase().includes(wanted));
}

/** @param {string} text */
function words(text) {
  return [...text.matchAll(/(-?\w+:)?"([^"]*)"|\S+/g)].map((match) =>
    match[2] === undefined ? match[0] : (match[1] ?? "") + match[2],
  );
}

function applyFilter() {
  const wanted = words(query.value);
  const named = wanted.find((word) => word.startsWith("target:"))?.slice("target:".length);
  const tests = wanted.map(term);
  let shown = 0;
  for (const row of rows) {
    const results = data.tests[row.dataset.id ?? ""] ?? {};
    const visible = tests.every((test) => test(row, results, named));
    row.hidden = !visible;
    const detail = detailOf(row);
    if (detail) detail.hidden = !visible;
    if (visible) shown += 1;
  }
  element("count").textContent = shown === rows.length ? `${shown} tests` : `${shown} of ${rows.length} tests`;
  element("nothing").hidden = shown > 0;
}

// ---- the details of a test ----

/** @param {HTMLTableRowElement} row */
function detailOf(row) {
  const next = row.nextElementSibling;
  return next instanceof HTMLTableRowElement && next.classList.contains("detail") ? next : undefined;
}

/**
 * @param {HTMLTableRowElement} row
 * @param {boolean} [open]
 */
function toggle(row, open = !detailOf(row)) {
  const detail = detailOf(row);
  if (open && !detail) row.after(makeDetail(row.dataset.id ?? ""));
  if (!open && detail) detail.remove();
  row.querySelector(".open")?.setAttribute("aria-expanded", String(open));
}

/** @param {string} id */
function makeDetail(id) {
  const cell = make("td", { colspan: String(data.columns.length + 1) });
  const row = rows.find((each) => each.dataset.id === id);
  const requirements = (row?.dataset.requirements ?? "").split(" ").filter(Boolean);
  cell.append(make("h3", {}, "Checks"), make("ul", {}, ...requirements.map(requirement)));
  for (const [column, result] of Object.entries(data.tests[id] ?? {})) cell.append(makeResult(column, result));
  return make("tr", { class: "detail" }, cell);
}

/** @param {string} id */
function requirement(id) {
  const [level, text] = data.requirements[id] ?? ["", "not in this version of the specification"];
  return make("li", {}, make("a", { href: `#requirement/${id}` }, id), ` ${level}: `, ...withCode(text));
}

/**
 * What stands between backticks in the text of a requirement is code.
 * @param {string} text
 */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

/**
 * @param {string} column
 * @param {Detail} result
 */
function makeResult(column, result) {
  const facts = [
    `${result.ms ?? 0} ms, ${result.waiting ?? 0} ms of it waiting`,
    (result.attempts ?? 1) > 1 ? `${result.attempts} attempts` : "",
    result.origin ?? "",
  ].filter(Boolean);
  const heading = make("h3", {}, `${column}: `, make("span", { class: `badge ${result.verdict}` }, result.verdict));
  const parts = [make("p", { class: "quiet" }, facts.join(" · "))];
  if (result.message) parts.push(make("p", { class: "message" }, result.message));
  if (result.expectation) {
    const { reason = "", link = "", verdict = "", message = "" } = result.expectation;
    const more = link ? [" ", make("a", { href: link }, link)] : [];
    const listed = message ? `${verdict}, “${message}”` : verdict;
    const known = result.expected ? "Known: " : `Listed otherwise (${listed}): `;
    parts.push(make("p", {}, make("b", {}, known), reason, ...more));
  }
  if (result.steps) parts.push(log("Steps", column, result.steps.map(stepRow)));
  if (result.wire) parts.push(log("On the wire, as the peers saw it", column, result.wire.map(wireRow)));
  if (result.rerun) parts.push(make("pre", {}, result.rerun));
  // Of many targets, those that did as they should are closed: the others are what a reader came for.
  const open = data.columns.length <= FEW || !result.expected || !FINE.includes(result.verdict);
  return make("details", { class: "result", ...(open && { open: "" }) }, make("summary", {}, heading), ...parts);
}

/**
 * @param {string} title
 * @param {string} column
 * @param {Node[]} lines
 */
function log(title, column, lines) {
  const body = make("tbody", {}, ...lines);
  const region = { class: "log", tabindex: "0", role: "region", "aria-label": `${title}, ${column}` };
  return make("div", {}, make("p", {}, make("b", {}, title)), make("div", region, make("table", {}, body)));
}

/** @param {[number, string, string]} step */
function stepRow([at, kind, text]) {
  const sign = { call: "→ ", answer: "← " }[kind] ?? "";
  return make("tr", { class: kind }, make("td", {}, `${at} ms`), make("td", {}, sign + text));
}

/** @param {[number, string, string, string, number, string, string]} event */
function wireRow([at, connection, direction, kind, size, hex, text]) {
  const way = direction === "from-target" ? "target → peer" : "peer → target";
  const bytes = size > 0 ? `${kind} ${size} bytes` : kind;
  const cells = [`${at} ms`, connection, way, bytes, hex, text];
  return make("tr", {}, ...cells.map((each) => make("td", {}, each)));
}

// ---- permalinks: #test/ID, #requirement/ID, #tests?q=QUERY ----

function follow() {
  const fragment = decodeURIComponent(location.hash.slice(1));
  if (fragment.startsWith("test/")) {
    const row = rows.find((each) => each.dataset.id === fragment.slice("test/".length));
    if (!row) return;
    if (row.hidden) {
      query.value = "";
      applyFilter();
    }
    toggle(row, true);
    row.scrollIntoView({ block: "center" });
    focusOn(row);
  } else if (fragment.startsWith("tests?q=")) {
    query.value = decodeURIComponent(location.hash.slice("#tests?q=".length).replaceAll("+", " "));
    applyFilter();
    element("tests").scrollIntoView();
  } else if (fragment.startsWith("requirement")) {
    const found = document.getElementById(fragment);
    const topic = found?.closest("details");
    if (topic) topic.open = true;
    found?.scrollIntoView();
  }
}

/** @param {HTMLTableRowElement} row */
function focusOn(row) {
  /** @type {HTMLElement | null} */ (row.querySelector(".open"))?.focus();
}

/** @param {number} distance */
function move(distance) {
  const visible = rows.filter((row) => !row.hidden);
  const current = visible.findIndex((row) => row.contains(document.activeElement));
  const next = visible[Math.max(0, Math.min(visible.length - 1, current + distance))];
  if (next) focusOn(next);
}

// ---- what the reader does ----

query.addEventListener("input", () => {
  applyFilter();
  const wanted = query.value.trim();
  history.replaceState(null, "", wanted ? `#tests?q=${encodeURIComponent(wanted).replaceAll("%20", "+")}` : "#tests");
});

element("filter").addEventListener("submit", (event) => event.preventDefault());

element("clear").addEventListener("click", () => {
  query.value = "";
  query.dispatchEvent(new Event("input"));
  query.focus();
});

element("rows").addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a.open") : null;
  const row = link?.closest("tr");
  if (!link || !row) return;
  event.preventDefault();
  toggle(row);
  history.replaceState(null, "", link.getAttribute("href"));
});

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement;
  if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape")) return;
  /** @type {Record<string, () => void>} */
  const keys = { "/": () => query.focus(), j: () => move(1), k: () => move(-1), Escape: () => query.blur() };
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

new ResizeObserver(([entry]) => {
  const height = entry?.borderBoxSize[0]?.blockSize ?? 0;
  document.documentElement.style.setProperty("--filter", `${height}px`);
}).observe(element("filter"));

const theme = element("theme");
const dark = matchMedia("(prefers-color-scheme: dark)");

/** @param {boolean} on */
function paint(on) {
  document.documentElement.dataset.theme = on ? "dark" : "light";
  theme.setAttribute("aria-pressed", String(on));
}

theme.hidden = false;
theme.addEventListener("click", () => paint(theme.getAttribute("aria-pressed") !== "true"));
paint(dark.matches);
dark.addEventListener("change", () => paint(dark.matches));

addEventListener("hashchange", follow);
follow();
