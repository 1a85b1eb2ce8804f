// What a user of the package writes: the declarations must accept what is right and refuse what is not.
import {
  Socket,
  type SocketDatagram,
  SocketError,
  type SocketInit,
  SocketListener,
} from "../../../polyfill/javascript/types/socket.js";
import { useTunnel } from "../../../polyfill/javascript/types/tunnel.js";

const init: SocketInit = { remote: { address: "localhost", port: 1 }, tls: { alpn: ["h2"], servername: undefined } };
await using socket = new Socket(init);

socket.addEventListener("error", (event) => console.log(event.fatal satisfies boolean), { once: true });
socket.addEventListener("close", { handleEvent: (event) => console.log(event.type) });
socket.addEventListener("anything", (event) => console.log(event.type));
socket.onerror = (event) => console.log(event.error);

for await (const chunk of socket.readable) console.log(chunk.byteLength, chunk.buffer satisfies ArrayBuffer);
const reader = socket.readable.getReader({ mode: "byob" });
console.log((await reader.read(new Uint8Array(3))).done);
const writer = socket.writable.getWriter();
await writer.write(new TextEncoder().encode("hello"));
await socket.readable.pipeTo(socket.writable);
await socket.update({ noDelay: true });

try {
  await socket.closed;
} catch (error) {
  if (error instanceof SocketError && error.errorCode === "connection-reset") console.log(error.systemCode, error.name);
}

const bound = new Socket<SocketDatagram>({ type: "udp", local: { port: 0 } });
for await (const datagram of bound.readable) console.log(datagram.remote?.port);

const listener = new SocketListener({ local: { port: 0 } });
for await (const accepted of listener) console.log(accepted.info.toJSON().remote?.address);
console.log(Socket.supportedTypes.includes("tcp"), socket.stats.toJSON().packetsSent === null);

// @ts-expect-error a string is no sequence of protocols
new Socket({ tls: { alpn: "h2" } });
// @ts-expect-error no such type
new Socket({ type: "sctp" });
// @ts-expect-error the init is required
new Socket();
// @ts-expect-error a remote end has a port
new Socket({ remote: { address: "localhost" } });
// @ts-expect-error it cannot be replaced
socket.ready = Promise.resolve(undefined);
// @ts-expect-error a string is no chunk
await writer.write("hello");
// @ts-expect-error there is no such code
console.log(new SocketError("", { errorCode: "no-such-code" }));

useTunnel({ url: "wss://tunnel.example", token: "secret", protocols: [], WebSocket });
useTunnel({ url: (remote) => new URL(`wss://tunnel.example/?port=${remote?.port}`) });
useTunnel(null);
// @ts-expect-error where it is has to be said
useTunnel({ token: "secret" });
