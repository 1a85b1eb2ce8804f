/** The interfaces of the common Socket API, for the platform that this runs on. */

export { ConnectEvent } from "./connect-event.js";
export { QuicSession } from "./quic-session.js";
export { QuicStream } from "./quic-stream.js";
export { Socket } from "./socket.js";
export { SocketEndpoint } from "./socket-endpoint.js";
export { SocketError } from "./socket-error.js";
export { SocketErrorEvent } from "./socket-error-event.js";
export { SocketInfo } from "./socket-info.js";
export { SocketListener } from "./socket-listener.js";
export { SocketStats } from "./socket-stats.js";
export { SocketTLSInfo } from "./socket-tls-info.js";
