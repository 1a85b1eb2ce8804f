// Starts a real, headless Chromium: the one that $CHROMIUM names, the system's, or the one that npm brought.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

// Without these a Chromium on a machine that reaches no network asks for updates again and again.
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** @param {import("playwright-core").LaunchOptions} [options] */
export async function launch(options = {}) {
  const args = [
    ...QUIET,
    "--disable-gpu",
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ...(options.args ?? []),
  ];
  return chromium.launch({ ...options, executablePath: await executable(), args });
}

/** The path of a Chromium. */
async function executable() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of PROGRAMS) {
      const path = join(folder, name);
      if (runnable(path)) return path;
    }
  }
  // The package brings the shared libraries that a bare machine lacks, and unpacks them where this is set.
  process.env.AWS_EXECUTION_ENV ??= "AWS_Lambda_nodejs20.x";
  const { default: packed } = await import("@sparticuz/chromium");
  return packed.executablePath();
}

/** @param {string} path */
function runnable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
