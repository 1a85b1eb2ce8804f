// For runtimes with a command line of Node's kind: settings as JSON in the last argument, the result as JSON on stdout.
import process from "node:process";
import { run } from "driver";

console.log(JSON.stringify(await run(JSON.parse(process.argv.at(-1) ?? ""))));
