// node bundle.js ENTRY DRIVER CONDITION OUTPUT: bundles a program with an unmodified driver, whose `net` and `tls` are
// those of commonsocket, and its `Deno`, too. Prints the files of commonsocket that came in, as JSON.
import { join, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { polyfillNode } from "esbuild-plugin-polyfill-node";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const POLYFILL = join(HERE, "../../polyfill/javascript/src");

const [entry, driver, condition, output] = process.argv.slice(2);
const browser = condition === "browser";

const { metafile } = await build({
  entryPoints: [join(HERE, "programs", `${entry}.js`)],
  outfile: output,
  bundle: true,
  format: "esm",
  target: "es2022",
  metafile: true,
  logLevel: "error",
  platform: browser ? "browser" : "node",
  conditions: [condition],
  // The programs are of these tests; what they import is not.
  alias: {
    driver: join(HERE, "programs", `${driver}.js`),
    net: join(POLYFILL, "net.js"),
    tls: join(POLYFILL, "tls.js"),
    "commonsocket/deno": join(POLYFILL, "deno.js"),
    "commonsocket/tunnel": join(POLYFILL, "tunnel.js"),
    commonsocket: join(POLYFILL, "index.js"),
    "pg-cloudflare": join(HERE, "programs/pg-cloudflare.js"),
    // Its export for workerd is another build, with `cloudflare:sockets` in place of `net`.
    ...(condition === "workerd" && { postgres: join(HERE, "../../node_modules/postgres/src/index.js") }),
    ...(browser && { "util/types": join(HERE, "programs/util-types.js") }),
  },
  external: ["pg-native", "cloudflare:sockets", ...(browser ? [] : ["node:*"])],
  inject: driver === "denoland" ? [join(HERE, "programs/deno.js")] : [],
  // What bundles of CommonJS need in a module.
  banner: browser
    ? {}
    : {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url ?? "file:///");',
      },
  define: browser ? { global: "globalThis" } : {},
  plugins: browser ? [polyfillNode({ polyfills: { crypto: true, fs: true, net: false, tls: false } })] : [],
});

const files = Object.keys(metafile.inputs).map((file) => relative(POLYFILL, resolve(file)));
console.log(JSON.stringify(files.filter((file) => !file.startsWith(".."))));
