// A listener that answers and a socket that connects to it, over each type that the runtime has and that needs no key.
import { Socket, SocketListener } from "commonsocket";

for (const type of ["tcp", "udp"]) {
  const listener = new SocketListener({ type, local: { address: "127.0.0.1" } });
  listener.addEventListener("connect", async ({ socket }) => {
    const { value } = await socket.readable.getReader().read();
    await socket.writable.getWriter().write(value);
    socket[Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose")]();
  });
  await listener.ready;
  const socket = new Socket({ type, remote: listener.info.local });
  await socket.writable.getWriter().write(new TextEncoder().encode(`over ${type}`));
  const { value } = await socket.readable.getReader().read();
  console.log(new TextDecoder().decode(value));
  await socket.abort();
  await listener.close();
}
console.log(Socket.supportedTypes.includes("tls"));
