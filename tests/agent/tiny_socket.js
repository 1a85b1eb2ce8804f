/** The smallest thing that the agent can work with: the tests of the agent must not depend on the polyfill. */

import net from "node:net";

export class Socket extends EventTarget {
  static supportedTypes = ["tcp"];

  constructor({ remote }) {
    super();
    const { promise: ready, resolve: isReady } = withResolvers();
    const { promise: closed, resolve: isClosed } = withResolvers();
    const raw = net.connect({ host: remote.address, port: remote.port, allowHalfOpen: true });
    Object.assign(this, { ready, closed, signal: new AbortController().signal });
    raw.on("connect", () => {
      this.dispatchEvent(new Event("ready"));
      isReady();
    });
    raw.on("close", () => {
      isClosed();
      this.dispatchEvent(new Event("close"));
    });
    this.readable = new ReadableStream({
      start(controller) {
        raw.on("data", (data) => controller.enqueue(new Uint8Array(data)));
        raw.on("end", () => controller.close());
      },
    });
    this.writable = new WritableStream({
      write: (chunk) => new Promise((resolve) => raw.write(chunk, () => resolve())),
      close: () => new Promise((resolve) => raw.end(() => resolve())),
    });
  }
}

function withResolvers() {
  let resolve;
  const promise = new Promise((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
