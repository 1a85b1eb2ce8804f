/** The smallest listener that the harness can work with; its sockets have no streams. */

import net from "node:net";

class Info {
  constructor(members) {
    Object.assign(this, members);
  }
}

export class Socket extends EventTarget {
  static supportedTypes = ["tcp"];

  constructor(raw) {
    super();
    this.ready = Promise.resolve();
    this.closed = new Promise((resolve) => raw.on("close", resolve)).then(() => {});
    this.signal = new AbortController().signal;
    this.info = { remote: { port: raw.remotePort } };
    raw.on("end", () => this.dispatchEvent(new Event("end")));
    raw.on("close", () => this.dispatchEvent(new Event("close")));
    raw.resume();
  }
}

export class SocketListener extends EventTarget {
  constructor({ local = { address: "0.0.0.0" } } = {}) {
    super();
    this.info = new Info({ local: null });
    const server = net.createServer((raw) => {
      this.dispatchEvent(Object.assign(new Event("connect"), { socket: new Socket(raw) }));
    });
    this.ready = new Promise((resolve) => server.listen(0, local.address, resolve)).then(() => {
      this.info.local = server.address();
    });
    this.closed = new Promise((resolve) => server.on("close", resolve)).then(() => {});
    this.close = () => {
      server.close();
      return this.closed;
    };
  }
}
