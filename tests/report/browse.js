// Opens a compatibility report as its reader would and prints what was seen, as JSON, for test_browser.py to judge.
// usage: node browse.js PAGE.html MANY-TARGETS.html [FOLDER FOR SCREENSHOTS]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launch } from "../browser/browser.js";

const [file = "", crowded = "", pictures] = process.argv.slice(2);
const address = pathToFileURL(file).href;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await launch();
/** @type {Record<string, unknown>} */
const seen = { errors: [], requests: [] };

/** @param {"light" | "dark"} colorScheme */
async function open(colorScheme, fragment = "") {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 1000 } });
  page.on("pageerror", (error) => /** @type {unknown[]} */ (seen.errors).push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) /** @type {unknown[]} */ (seen.requests).push(request.url());
  });
  await page.goto(address + fragment);
  return page;
}

/** @param {import("playwright-core").Page} page */
async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    // @ts-expect-error axe is a global of the page, made by the script above
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations
      .filter((/** @type {{impact: string}} */ each) => ["serious", "critical"].includes(each.impact))
      .map((/** @type {{id: string, nodes: {html: string}[]}} */ each) => `${each.id}: ${each.nodes[0]?.html}`);
  });
}

/** @param {import("playwright-core").Page} page */
const visible = (page) => page.locator("tr.row:visible").count();

try {
  for (const theme of /** @type {const} */ (["light", "dark"])) {
    const page = await open(theme);
    for (const topic of await page.locator("details.topic").all())
      await topic.evaluate((each) => each.setAttribute("open", ""));
    await page.locator("tr.row a.open").first().click();
    seen[`axe-${theme}`] = await violations(page);
    seen[`background-${theme}`] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    if (pictures) await page.screenshot({ path: join(pictures, `report-${theme}.png`) });
    await page.close();
  }

  const page = await open("light");
  seen.all = await visible(page);
  /** @type {Record<string, number>} */
  const filtered = {};
  for (const query of [
    "verdict:fail",
    "target:node verdict:fail",
    "-verdict:fail",
    "is:different",
    "feature:byob",
    "no such words",
  ]) {
    await page.fill("#query", query);
    filtered[query] = await visible(page);
  }
  seen.filtered = filtered;
  seen.count = await page.textContent("#count");
  seen.nothing = await page.isVisible("#nothing");
  await page.click("#clear");
  seen.cleared = await visible(page);

  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  seen.focused = await page.evaluate(() => document.activeElement?.textContent);
  await page.keyboard.press("Enter");
  seen.expanded = await page.evaluate(() => document.activeElement?.getAttribute("aria-expanded"));
  seen.detail = await page.locator("tr.detail").textContent();
  seen.permalink = await page.evaluate(() => location.hash);
  await page.keyboard.press("/");
  seen.slash = await page.evaluate(() => document.activeElement?.id);
  await page.click("#theme");
  seen.switched = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);

  /** @type {Record<string, unknown>} */
  const many = {};
  for (const width of [1280, 800]) {
    const wide = await browser.newPage({ viewport: { width, height: 1000 } });
    wide.on("pageerror", (error) => /** @type {unknown[]} */ (seen.errors).push(error.message));
    await wide.goto(pathToFileURL(crowded).href);
    await wide.locator("tr.row a.open").first().click();
    many[width] = await wide.evaluate(() => document.documentElement.scrollWidth);
    many.axe = [.../** @type {string[]} */ (many.axe ?? []), ...(await violations(wide))];
    many.read = await wide.locator("tr.row td").first().ariaSnapshot();
    many.open = await wide.locator("tr.detail details[open] h3").allInnerTexts();
    many.closed = await wide.locator("tr.detail details:not([open])").count();
    if (pictures) await wide.screenshot({ path: join(pictures, `many-${width}.png`), fullPage: true });
    await wide.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await wide.locator("tr.row").last().scrollIntoViewIfNeeded();
    many[`head-${width}`] = await wide.locator(".tests thead th").last().isVisible();
    await wide.close();
  }
  seen.many = many;

  const linked = await open("light", String(seen.permalink));
  seen.linked = await linked.locator("tr.detail").textContent();
  const asked = await open("light", "#tests?q=target:node+verdict:fail");
  seen.asked = await visible(asked);
  const clause = await open("light", "#requirement/ready/fulfils-with-undefined");
  seen.clause = await clause.locator(":target").textContent();
  seen.clauseVisible = await clause.locator(":target").isVisible();
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
