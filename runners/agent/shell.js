/** What every shell puts around the agent, whatever the platform: the globals, the hello, lines in and out. */

import { claimedFeatures } from "./features.js";
import { probes } from "./idl/index.js";
import { Agent, PROTOCOL } from "./protocol.js";

/**
 * @typedef {object} Shell
 * @property {Record<string, any>} exports of the implementation under test; none where it is the runtime's own
 * @property {{installScope: () => void, listen: (init: unknown) => Promise<object>} | null} host what runs socket
 *   workers, if there is one
 * @property {{name: string, version: string}} implementation
 * @property {{name: string, version: string}} runtime
 * @property {string} platform operating system and machine, as in "linux-x64"
 * @property {() => unknown} readTree gives the IDL tree, when it is first needed
 * @property {(lines: string) => void} write takes whole lines, each with its end
 * @property {() => void} leave lets go of what keeps the process alive for the sake of the agent
 */

/**
 * Tells whether there is anything to test.
 *
 * @param {Pick<Shell, "exports">} shell
 */
export function hasSocket({ exports }) {
  return typeof overGlobals(exports).Socket === "function";
}

/**
 * Starts an agent and has it say hello.
 *
 * @param {Shell} shell one that has a Socket
 * @returns {{receive: (text: string) => void, unhandled: (reason: unknown) => void}} what takes the lines that come in,
 *   in any portions; and what takes the rejections and errors that nobody handled
 */
export function startAgent({ exports, host, implementation, runtime, platform, readTree, write, leave }) {
  const globals = overGlobals(exports);
  host?.installScope();
  const send = gathering(write);
  const agent = new Agent({ globals, host, probes, readTree, send, leave });
  const features = claimedFeatures(globals, host !== null);
  send({ type: "hello", protocol: PROTOCOL, language: "javascript", runtime, implementation, features, platform });
  return { receive: splitting((line) => agent.receive(line)), unhandled: (reason) => agent.unhandled(reason) };
}

/**
 * Returns the exports over the globals of the runtime.
 *
 * @param {Record<string, any>} exports
 * @returns {Record<string, any>}
 */
function overGlobals(exports) {
  /** @type {any} */
  const realm = globalThis;
  // A module's own namespace object would not do: what it has cannot be left out.
  return new Proxy(
    { ...exports },
    {
      get: (own, name) => (Object.hasOwn(own, name) ? Reflect.get(own, name) : realm[name]),
      has: (own, name) => Object.hasOwn(own, name) || name in realm,
    },
  );
}

/**
 * Returns a function that sends messages: everything that one turn has to say goes out in one write.
 *
 * @param {(lines: string) => void} write
 * @returns {(message: object) => void}
 */
function gathering(write) {
  let unsent = "";
  const flush = () => {
    const lines = unsent;
    unsent = "";
    write(lines);
  };
  return (message) => {
    if (unsent === "") queueMicrotask(flush);
    unsent += `${JSON.stringify(message)}\n`;
  };
}

/**
 * Returns a function that takes text in any portions and passes it on line by line.
 *
 * @param {(line: string) => void} receive
 * @returns {(text: string) => void}
 */
function splitting(receive) {
  let partial = "";
  return (text) => {
    const lines = (partial + text).split("\n");
    partial = /** @type {string} */ (lines.pop());
    for (const line of lines) receive(line);
  };
}
