#!/usr/bin/env node
import process from "node:process";
import { serve } from "./serve.js";

const usage = `usage: commonsocket serve WORKER --listen ADDRESS [--listen ADDRESS ...] [OPTIONS]

Runs a socket worker: a module that gets connections by the global connect event.

  WORKER             the module, such as ./echo.mjs
  --listen ADDRESS   where to listen: tcp://127.0.0.1:8080, udp://[::1]:53, tls://*:8443.
                     The host is an IP address or *, which is every address; with port 0 the system chooses one
  --key FILE         the private key for tls, PEM
  --cert FILE        the certificate for tls with its chain, PEM
  --alpn NAME        a protocol to be spoken over tls, the preferred one first; may be given several times
  --grace SECONDS    how long open connections may take to finish after SIGTERM or SIGINT (default: 10);
                     a second signal ends them at once
  --help             this text

When everything is bound, it prints the address of each, one a line, in the order in which they were given.

Example: an echo server.

  cat > echo.mjs <<END
  addEventListener("connect", ({ socket }) => socket.readable.pipeTo(socket.writable));
  END
  commonsocket serve echo.mjs --listen tcp://127.0.0.1:7007
`;

/** @type {Record<string, (args: string[]) => Promise<number>>} */
const commands = { serve };

const [name, ...rest] = process.argv.slice(2);

if (name === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else if (name === "--help" || name === "-h" || rest.includes("--help")) {
  process.stdout.write(usage);
} else if (Object.hasOwn(commands, name)) {
  process.exitCode = await commands[name](rest);
  // The worker has been stopped; what else it left running ends with it.
  process.exit();
} else {
  process.stderr.write(`commonsocket: there is no command "${name}"; try --help\n`);
  process.exitCode = 2;
}
