import { once } from "node:events";
import { connect, createServer } from "node:net";
import { pause, turn, until } from "./time.js";
import { Outcome } from "./words.js";

/**
 * Starts a TCP server on this machine. With `reading: false` it leaves what comes in the kernel. Node cannot set
 * `receiveBuffer` and `sendBuffer`, the sizes of the kernel's buffers: more bytes may be on their way than were seen.
 */
export async function listen({ address = "127.0.0.1", port = 0, reading = true } = {}) {
  const connections = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: !reading }, (socket) => {
    connections.push(connectionOf(socket));
  });
  server.listen({ host: address, port });
  await once(server, "listening");
  let accepted = 0;
  return {
    remote: { address, port: server.address().port },

    /** Returns a connection by its number, whether it was accepted or not. */
    async connection(number) {
      await until(() => connections.length >= number, 5000);
      return connections[number - 1];
    },

    async accept({ limit = 5000 } = {}) {
      if (!(await until(() => connections.length > accepted, limit))) throw new Error("no connection came");
      return connections[accepted++];
    },
  };
}

/** Connects to a listener of the target. */
export async function connectTo(address, port) {
  const socket = connect({ host: address, port, allowHalfOpen: true });
  await once(socket, "connect");
  return connectionOf(socket);
}

/** What can be done with one connection, and what can be seen of it. */
function connectionOf(socket) {
  let total = 0;
  let unread = [];
  let fin = false;
  let reset = false;
  socket.on("data", (data) => {
    unread.push(data);
    total += data.length;
  });
  socket.on("end", () => {
    // Node may take a reset for an end; then there is an error for whoever writes, if only nothing.
    if (socket.writableEnded) fin = true;
    else
      socket.write(Buffer.alloc(0), (error) => {
        fin ||= !error;
      });
  });
  socket.on("error", () => {
    reset = true;
  });
  const ended = () => fin || reset;
  const seen = () => `${total} bytes${fin ? ", a FIN" : ""}${reset ? ", a reset" : ""}`;
  let taken = 0;
  const take = (size) => {
    const data = Buffer.concat(unread);
    unread = [data.subarray(size)];
    taken += size;
    return Uint8Array.from(data.subarray(0, size));
  };
  const instead = () => new Outcome(`not: ${seen()}`);
  return {
    /** The target's end of the connection. */
    remote: { address: socket.remoteAddress, port: socket.remotePort },

    seen,

    async send(data, { limit = 5000 } = {}) {
      await turn();
      let sent = false;
      socket.write(data, () => {
        sent = true;
      });
      await until(() => sent || reset, limit);
      await noticed();
    },

    /** Sends until the other side takes no more for so many milliseconds; returns how many bytes went out. */
    async sendUntilBlocked(data, { quiet = 50 } = {}) {
      const portion = 65536;
      for (let start = 0; start < data.length; start += portion) {
        let sent = false;
        socket.write(data.subarray(start, start + portion), () => {
          sent = true;
        });
        if (!(await until(() => sent, quiet))) return Math.min(data.length, start + portion);
      }
      return data.length;
    },

    async fin() {
      await turn();
      socket.end();
      await noticed();
    },

    async reset() {
      await turn();
      socket.resetAndDestroy();
      await noticed();
    },

    async close() {
      await turn();
      socket.destroy();
    },

    async stopReading() {
      await turn();
      socket.pause();
    },

    async resumeReading() {
      await turn();
      socket.resume();
    },

    /** Returns the next bytes, as soon as there are so many. */
    async receive(size, { limit = 5000 } = {}) {
      await until(() => total - taken >= size || ended(), limit);
      return total - taken >= size ? take(size) : instead();
    },

    async receiveSome({ limit = 5000 } = {}) {
      await until(() => total - taken > 0 || ended(), limit);
      return total - taken > 0 ? take(total - taken) : instead();
    },

    async receiveUntilFin({ limit = 5000 } = {}) {
      await until(ended, limit);
      return fin ? take(total - taken) : instead();
    },

    async expectFin({ limit = 5000 } = {}) {
      await until(ended, limit);
      return fin && total - taken === 0 && !reset ? new Outcome("a FIN") : instead();
    },

    async expectReset({ limit = 5000 } = {}) {
      await until(() => {
        // After a FIN a reset shows itself only to those who write: to write nothing is enough.
        if (fin && !socket.destroyed) socket.write(Buffer.alloc(0));
        return reset;
      }, limit);
      return reset ? new Outcome("a reset") : instead();
    },

    async expectEnd({ limit = 5000 } = {}) {
      await until(ended, limit);
      return ended() ? new Outcome("a FIN or a reset") : instead();
    },
  };
}

/** Gives the other side, which runs in the same process, the time that a network takes. */
function noticed() {
  return pause(2);
}

/** Takes a port without listening there: connections to it are refused. */
export async function refuse({ address = "127.0.0.1" } = {}) {
  // Node binds a port without listening only for a connection of its own.
  const helper = createServer().listen({ host: address, port: 0 });
  await once(helper, "listening");
  const holder = connect({ host: address, port: helper.address().port });
  await once(holder, "connect");
  const port = holder.localPort;
  return {
    remote: { address, port },

    async close() {
      holder.resetAndDestroy();
      await once(holder, "close");
    },

    async listen() {
      await this.close();
      return listen({ address, port });
    },
  };
}
