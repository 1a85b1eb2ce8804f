import { createSocket } from "node:dgram";
import { once } from "node:events";
import { pause, turn, until } from "./time.js";
import { Outcome } from "./words.js";

/** Opens a UDP socket on this machine, which receives from anyone. */
export async function openUdp({ address = "127.0.0.1", port = 0 } = {}) {
  const peer = udpPeer(address, port);
  await peer.open();
  return peer;
}

/** Takes a UDP port where nobody is, until it is opened: datagrams to it are answered by ICMP. */
export async function closedUdp({ address = "127.0.0.1" } = {}) {
  const peer = udpPeer(address, 0);
  await peer.shut();
  return peer;
}

/** What can be done with one UDP port, and what can be seen there. */
function udpPeer(address, port) {
  const datagrams = [];
  let taken = 0;
  let socket = null;
  const peer = { remote: { address, port } };
  const bind = async () => {
    socket?.close();
    socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4", reuseAddr: true });
    socket.bind(peer.remote);
    await once(socket, "listening");
    peer.remote.port = socket.address().port;
  };
  return Object.assign(peer, {
    /** Has somebody be at the port. */
    async open() {
      await bind();
      socket.on("message", (data, source) => {
        datagrams.push({ data: Uint8Array.from(data), source: { address: source.address, port: source.port } });
      });
      return peer;
    },

    /** Has nobody be there: a socket that is connected to itself hears of nobody else. */
    async shut() {
      await bind();
      socket.connect(peer.remote.port, address);
      await once(socket, "connect");
    },

    /** Where the last datagram that was received came from. */
    sender() {
      return { remote: datagrams[taken - 1]?.source };
    },

    async send(data, to = datagrams.at(-1).source, { copies = 1 } = {}) {
      await turn();
      for (let sent = 0; sent < copies; sent++) {
        await new Promise((resolve) => socket.send(data, to.port, to.address, resolve));
      }
      // The other side, which runs in the same process, gets the time that a network takes.
      await pause(2);
    },

    /** Returns the next datagram. */
    async receive({ limit = 5000 } = {}) {
      return (await until(() => datagrams.length > taken, limit)) ? datagrams[taken++].data : new Outcome("nothing");
    },

    async expectSilence({ limit = 50 } = {}) {
      return new Outcome((await until(() => datagrams.length > taken, limit)) ? "a datagram" : "no datagram");
    },

    /** Sends empty datagrams until ICMP says that nobody is there. */
    async expectGone(place) {
      const probe = createSocket(place.address.includes(":") ? "udp6" : "udp4");
      let gone = false;
      probe.on("error", () => {
        gone = true;
      });
      probe.connect(place.port, place.address);
      await once(probe, "connect");
      const asked = () => {
        probe.send(new Uint8Array(0));
        return gone;
      };
      const answer = new Outcome((await until(asked, 5000)) ? "nobody there" : "somebody there");
      probe.close();
      return answer;
    },
  });
}
