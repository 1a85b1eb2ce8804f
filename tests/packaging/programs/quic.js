// Both ends of QUIC connections. Arguments: files of the server's key and certificate, and of its authority.
import { readFileSync } from "node:fs";
import { Socket, SocketListener } from "commonsocket";

const [key, cert, ca] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
const text = async (readable) => new Response(readable).text();
const bytes = async (readable) => (await new Response(readable).arrayBuffer()).byteLength;

/** Connects to a listener that hands its end of the connection to `serve`. */
async function connect(serve) {
  const listener = new SocketListener({
    type: "quic",
    local: { address: "127.0.0.1" },
    tls: { key, cert, alpn: ["other", "test"] },
  });
  listener.addEventListener("connect", ({ socket }) => serve(socket));
  await listener.ready;
  const socket = new Socket({
    type: "quic",
    remote: listener.info.local,
    tls: { servername: "server.example", alpn: ["unknown", "test"], ca: [ca] },
  });
  return { listener, socket };
}

// The primary stream, another one, a datagram.
{
  const { listener, socket } = await connect(async (accepted) => {
    accepted.readable.pipeTo(accepted.writable);
    const datagrams = accepted.quic.datagrams;
    datagrams.readable.pipeTo(datagrams.writable).catch(() => {});
    for await (const stream of accepted.quic.incomingBidirectionalStreams) stream.readable.pipeTo(stream.writable);
  });
  const writer = socket.writable.getWriter();
  writer.write(new TextEncoder().encode("the primary stream"));
  await socket.ready;
  console.log(socket.info.tls.alpn, socket.info.tls.version, socket.quic.maxDatagramSize >= 1100);
  const stream = await socket.quic.createBidirectionalStream();
  const other = stream.writable.getWriter();
  other.write(new Uint8Array(200_000)).then(() => other.close());
  console.log("another stream", await bytes(stream.readable));
  socket.quic.datagrams.writable.getWriter().write(new Uint8Array(9));
  const { value } = await socket.quic.datagrams.readable.getReader().read();
  console.log("a datagram", value.length);
  await writer.close();
  console.log(await text(socket.readable));
  await socket.closed;
  await listener.close();
}

// Far more than fits into receiveBufferSize, a FIN and the end of the connection are there before anything is read.
for (const kind of ["primary", "unidirectional"]) {
  let closed;
  const serverClosed = new Promise((resolve) => {
    closed = resolve;
  });
  const { listener, socket } = await connect(async (accepted) => {
    accepted.closed.then(closed);
    accepted.readable.cancel();
    let { writable } = accepted;
    if (kind === "unidirectional") {
      writable.close();
      writable = await accepted.quic.createUnidirectionalStream();
    }
    const writer = writable.getWriter();
    await writer.write(new Uint8Array(3_000_000));
    await writer.close();
  });
  await socket.writable.close();
  await serverClosed;
  let { readable } = socket;
  if (kind === "unidirectional") {
    await text(readable);
    const reader = socket.quic.incomingUnidirectionalStreams.getReader();
    readable = (await reader.read()).value;
  }
  console.log(kind, await bytes(readable));
  await socket.closed;
  await listener.close();
}

// Whom nobody wants.
{
  const { listener, socket } = await connect(() => {});
  await socket.ready;
  await socket.abort();
  const closing = listener.close();
  const late = new Socket({
    type: "quic",
    remote: { address: "127.0.0.1", port: socket.info.remote.port },
    readyTimeout: 2000,
    tls: { servername: "server.example", alpn: ["test"], ca: [ca] },
  });
  console.log(
    await late.closed.then(
      () => "closed",
      () => "failed",
    ),
  );
  await closing;
}
