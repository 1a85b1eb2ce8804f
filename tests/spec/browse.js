// Opens the readable specification as its reader would and prints what was seen, as JSON, for test_page.py to judge.
// usage: node browse.js PAGE.html
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { launch } from "../browser/browser.js";

const [file = ""] = process.argv.slice(2);
const address = pathToFileURL(file).href;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await launch();
/** @type {string[]} */
const errors = [];
/** @type {string[]} */
const requests = [];
/** @type {Record<string, unknown>} */
const seen = { errors, requests };

/** @param {"light" | "dark"} colorScheme */
async function open(colorScheme, fragment = "") {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 1000 } });
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) requests.push(request.url());
  });
  await page.goto(address + fragment);
  return page;
}

/** @param {import("playwright-core").Page} page */
const shown = (page) => page.locator("article:visible").count();

/** @param {import("playwright-core").Page} page */
const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

try {
  for (const theme of /** @type {const} */ (["light", "dark"])) {
    const page = await open(theme);
    seen[theme] = await ground(page);
    await page.evaluate(axe);
    seen[`axe-${theme}`] = await page.evaluate(async () => {
      // @ts-expect-error axe is a global of the page, made by the script above
      const found = await axe.run(document, { resultTypes: ["violations"] });
      return found.violations.map((/** @type {{id: string, nodes: {html: string}[]}} */ each) => each.id);
    });
    await page.close();
  }

  const page = await open("light", "#ready/rejects-when-refused");
  seen.target = await page.locator(":target").getAttribute("id");
  seen.all = await shown(page);
  await page.keyboard.press("/");
  await page.keyboard.type("rejects-when-refused");
  seen.found = await shown(page);
  seen.said = await page.locator("#found").textContent();
  await page.locator("#query").fill("");
  await page.locator("input[value=MUST]").uncheck();
  seen.weaker = await shown(page);
  await page.evaluate(() => {
    location.hash = "#ready/fulfils-with-undefined";
  });
  await page.locator("article[id='ready/fulfils-with-undefined']").waitFor({ state: "visible" });
  seen.revealed = await shown(page);
  await page.locator("#theme").click();
  seen.switched = await ground(page);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
