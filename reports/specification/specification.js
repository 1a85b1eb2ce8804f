// The page reads well without this: it adds a filter, the place in the contents and the choice of colours.

const root = document.documentElement;

const theme = document.querySelector("#theme");
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

const form = document.querySelector("#filter");
const query = document.querySelector("#query");
const found = document.querySelector("#found");
const topics = [...document.querySelectorAll(".topic")].map((section) => ({
  section,
  articles: [...section.querySelectorAll("article")].map((article) => ({
    article,
    level: article.dataset.level,
    words: article.textContent.toLowerCase().replace(/\s+/g, " "),
  })),
}));

const filter = () => {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const levels = new Set([...form.querySelectorAll("[name=level]:checked")].map((box) => box.value));
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

const contents = document.querySelector("nav");
const entries = new Map(
  [...document.querySelectorAll("nav a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link]),
);
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
