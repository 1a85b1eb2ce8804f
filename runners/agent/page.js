/**
 * The agent in a page of a browser. What the page runs in, it is told by its launcher, in the query of its address:
 * `runtime`, `version` and `platform`, as the hello has them; and `tunnel`, where its sockets are to go through one.
 *
 * It speaks over a WebSocket to where the page is from. In an Isolated Web App, whose policy allows none, it speaks by two
 * functions of the debugger that drives the browser: the page calls `agentSend`, and is called by `agentReceive`.
 */

import { description, exports, host, tree, tunnel } from "under-test";
import { hasSocket, startAgent } from "./shell.js";

/** @type {any} */
const page = globalThis;

/**
 * @returns {Promise<{write: (lines: string) => void, onLines: (receive: (text: string) => void) => void}>}
 */
async function connect() {
  if (page.agentSend) {
    return {
      write: page.agentSend,
      onLines(receive) {
        page.agentReceive = receive;
      },
    };
  }
  const socket = new WebSocket(new URL("/agent", page.location.href.replace(/^http/, "ws")));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  return {
    write: (lines) => socket.send(lines),
    onLines(receive) {
      socket.onmessage = ({ data }) => receive(data);
    },
  };
}

if (!hasSocket({ exports })) throw new Error("The implementation exports no Socket");

const told = Object.fromEntries(new URLSearchParams(page.location.search));
const { write, onLines } = await connect();
if (told.tunnel) tunnel?.useTunnel({ url: told.tunnel });

const agent = startAgent({
  exports,
  host,
  implementation: description ?? { name: "built-in", version: told.version },
  runtime: { name: told.runtime, version: told.version },
  platform: told.platform,
  readTree: () => tree,
  write,
  // A page is there until it is closed.
  leave() {},
});

page.addEventListener("unhandledrejection", (/** @type {PromiseRejectionEvent} */ { reason }) =>
  agent.unhandled(reason),
);
page.addEventListener("error", (/** @type {ErrorEvent} */ { error }) => agent.unhandled(error));
onLines(agent.receive);
