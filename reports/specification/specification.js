// The page reads well without this: it adds a filter, the place in the contents and the choice of colours.

const root = document.documentElement;

/**
 * @template {HTMLElement} T
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
function the(selector, kind) {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}

const theme = the("#theme", HTMLButtonElement);
const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const label = () => {
  theme.textContent = isDark() ? "Light" : "Dark";
  theme.setAttribute("aria-label", `Use ${isDark() ? "light" : "dark"} colours`);
};
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  label();
});
dark.addEventListener("change", label);
theme.hidden = false;
label();

const form = the("#filter", HTMLFormElement);
const query = the("#query", HTMLInputElement);
const found = the("#found", HTMLElement);
const topics = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".topic")]).map((section) => ({
  section,
  articles: [...section.querySelectorAll("article")].map((article) => ({
    article,
    level: article.dataset.level,
    words: (article.textContent ?? "").toLowerCase().replace(/\s+/g, " "),
  })),
}));

const filter = () => {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name=level]:checked"));
  /** @type {Set<string | undefined>} */
  const levels = new Set([...boxes].map((box) => box.value));
  let shown = 0;
  let all = 0;
  for (const { section, articles } of topics) {
    let some = false;
    for (const each of articles) {
      const hit = levels.has(each.level) && words.every((word) => each.words.includes(word));
      each.article.hidden = !hit;
      some ||= hit;
      shown += Number(hit);
      all += 1;
    }
    section.hidden = !some;
  }
  found.textContent = shown === all ? `${all} requirements` : `${shown} of ${all} requirements`;
};
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
filter();

// A link to a requirement shows it, whatever the filter says.
const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.closest("[hidden]")) {
    form.reset();
    filter();
    target.scrollIntoView();
  }
};
addEventListener("hashchange", reveal);

addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !(event.target instanceof HTMLInputElement)) {
    event.preventDefault();
    query.focus();
  }
});

const contents = the("nav", HTMLElement);
const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (contents.querySelectorAll("a"));
const entries = new Map([...links].map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
/** @type {Set<string>} */
const visible = new Set();
const mark = () => {
  const last = [...entries].filter(([id]) => visible.has(id)).pop();
  for (const [, link] of entries) link.removeAttribute("aria-current");
  last?.[1].setAttribute("aria-current", "location");
  // Only the contents scroll; a link inside the page's own scrolling area would move the page.
  if (last && contents.scrollHeight > contents.clientHeight) {
    const middle = last[1].offsetTop - contents.clientHeight / 2;
    contents.scrollTop = Math.max(0, middle);
  }
};
const observer = new IntersectionObserver(
  (changes) => {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) visible.add(target.id);
      else visible.delete(target.id);
    }
    mark();
  },
  { rootMargin: "0px 0px -80% 0px" },
);
for (const id of entries.keys()) {
  const section = document.getElementById(id);
  if (section) observer.observe(section);
}
