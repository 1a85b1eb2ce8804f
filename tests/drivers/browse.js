// node browse.js BUNDLE SETTINGS: opens a page with the bundle in a real browser, has it do the work with the settings
// (JSON), and prints the result as JSON. The settings' `tunnel` is where the page's sockets go.
import { readFileSync } from "node:fs";
import http from "node:http";
import process from "node:process";
import { launch } from "../browser/browser.js";

const [bundle, settings] = process.argv.slice(2);
const files = {
  "/": ["text/html", '<!doctype html><meta charset="utf-8"><script type="module" src="/bundle.js"></script>'],
  "/bundle.js": ["text/javascript", readFileSync(bundle)],
};

const server = http.createServer((request, response) => {
  const [type, body] = files[request.url ?? ""] ?? [null];
  response.writeHead(type ? 200 : 404, type ? { "content-type": type } : {}).end(body);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());

const browser = await launch();
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(`http://127.0.0.1:${port}/`);
  const result = await page.evaluate((given) => globalThis.work(given), JSON.parse(settings));
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
  server.close();
}
