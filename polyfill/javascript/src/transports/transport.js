/**
 * The contract between the core and the platforms: one folder beside this file per platform, chosen by the conditions
 * of "#platform" in package.json. The core never imports anything of a platform, and a transport never touches a
 * stream, a promise or an event of the socket.
 *
 * A transport is made by `platform.connect()` for one socket and talks back to its `TransportClient`:
 *
 *     connect() ──► connected() ──► received()*, ended()?, accepted()*, finAccepted()? ──► released()
 *          └──────► failed() ──────────────────────────────────────────────────────────────► released()
 *
 * - Nothing is called back before `connect()` has returned.
 * - `failed()` may come at any time before `released()`, once, and after it nothing but `released()`; bytes that the
 *   platform received before the failure are passed on before it.
 * - `released()` comes exactly once: after `close()`, after `reset()` or after `failed()`.
 *
 * With `type: "tls"` `connected()` is called when the handshake is done, with `tls` in the details; failures then name
 * the phases "tls-handshake" and "tls-established".
 *
 * With `type: "udp"` the client is a `DatagramClient`, to which every datagram is told by itself: `datagram()` in place of
 * `received()`, `datagramSent()` in place of `sent()`, and `failedSoftly()` for what does not end the socket. There is no
 * FIN: `writeFin()` is answered at once, and `ended()` comes only where the platform itself ends a flow that is idle.
 *
 * With `type: "quic"` the transport is a `QuicTransport` and the client a `QuicClient`. The methods of both that are those
 * of a stream concern the primary stream: the first bidirectional one that the client opens, with the id 0.
 *
 * - `connected()` is called when the handshake is done, with `tls` in the details. By then the client has opened the
 *   primary stream, or its first bytes will. At a server it may not have arrived: what is written waits for it.
 * - Each direction of a stream ends by itself: that of the peer by `ended()` or `streamReset()`, and after
 *   `stopSending()` perhaps by neither; ours by `writeFin()`, answered by `finAccepted()`, by `resetStream()`, or by
 *   `stopped()`, which the transport has answered with a reset itself. After its end nothing more is told of it, and
 *   nothing asked for.
 * - The other streams have the same two faces, `StreamTransport` and `StreamClient`, and are handed over as functions that
 *   connect them: to the callback of `openStream()`, and to `streamOpened()` in the order in which the peer opened them.
 * - The end of the connection is told once, to the QuicClient alone: by `peerClosed()` where it was a CONNECTION_CLOSE of
 *   the peer, else by `failed()` (its idle timeout has the code "ETIMEDOUT"). What arrived before is passed on before.
 *   Streams that are cut off by it are not told that they have ended.
 * - `close()` is called when all streams are finished: the transport waits until the peer has everything, for a while, and
 *   closes with the application error 0, as `reset()` does at once.
 *
 * A server is made by `platform.listen()` for one listener and talks back to its `ServerClient`:
 *
 *     listen() ──► listening() ──► incoming()*  ──► released()
 *         └──────► failed() ──────────────────────► released()
 *
 * - Nothing is called back before `listen()` has returned.
 * - `released()` comes exactly once, after `close()`, which the client calls after `failed()`, too.
 *
 * @typedef {import("../core/init.js").SocketOptions} SocketOptions
 * @typedef {import("../core/init.js").SocketType} SocketType
 * @typedef {import("../core/init.js").TLSInit} TLSInit
 * @typedef {import("../core/listener-init.js").ListenerOptions} ListenerOptions
 * @typedef {import("../core/failure.js").TransportFailure} TransportFailure
 * @typedef {import("../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("../socket-tls-info.js").TLSDetails} TLSDetails
 */

/**
 * What each platform's folder exports as `platform` from its index.js.
 * @typedef {object} Platform
 * @property {readonly SocketType[]} supportedTypes for which types `connect()` works
 * @property {boolean} supportsCertificateHashes whether `tls.serverCertificateHashes` works
 * @property {(tls: TLSInit) => unknown} checkCredentials throws a TypeError for keys and certificates that it cannot use
 * @property {(options: SocketOptions) => void} [checkOptions] throws a NotSupportedError for an option that this platform
 *   cannot do and that is more than a hint
 * @property {(options: SocketOptions, client: TransportClient) => Transport} connect never throws: what goes wrong is a
 *   failure
 * @property {(options: ListenerOptions, client: ServerClient) => Server} listen for the types of `supportedTypes`;
 *   never throws: what goes wrong is a failure
 * @property {number} [chunkSize] how much a reader is to get at most at a time, where the platform's streams insist on a
 *   limit, and on a low one unless they are told
 * @property {(task: () => void) => void} queueTask queues a task, in which events are dispatched; first in, first out
 * @property {<T extends object>(object: T) => T} uncloneable returns an object that structuredClone() refuses: the same
 *   one, or one that stands in for it
 * @property {(controller: WritableStreamDefaultController) => void} mend makes up for what the platform's streams do
 *   wrong, when one has been made
 * @property {(controller: WritableStreamDefaultController, size: number) => void} setHighWaterMark changes the high
 *   water mark of a stream that exists, for which the Streams standard has no way
 */

/**
 * Options that may change while a transport lives.
 * @typedef {object} TransportOptions
 * @property {boolean} noDelay
 * @property {number} keepAliveDelay ms; 0 is off
 * @property {number} [ttl]
 * @property {number} receiveBufferSize bytes
 */

/**
 * @typedef {object} Transport
 * @property {(message: any) => boolean} write takes a Message of the kind that it carries. True: all are accepted, and the memory belongs
 *   to the caller again. False: `client.accepted()` will say so, and until then the memory must not change and nothing
 *   else is written. What is accepted is told by `client.sent()` in either case
 * @property {() => void} writeFin ends the write side behind what was written; `client.finAccepted()` will be called
 * @property {() => void} resume reads on, now that `client.room` has grown
 * @property {(tls: TLSInit, unread: Uint8Array) => Promise<TLSDetails>} [secure] for connections over TCP: makes a TLS handshake over the
 *   connection, once connected, and carries everything from then on over TLS. `unread` are bytes that the client was
 *   given and that belong to the handshake. A handshake that fails is a failure like any other, and the promise stays
 *   pending
 * @property {(options: TransportOptions) => void} configure sets options, once connected
 * @property {(needed: boolean) => void} [keepProcess] whether the socket is a reason for the process to live on, for
 *   transports of datagrams; the others always are
 * @property {() => void} close lets go of a connection whose directions are both finished. It may linger for a while to
 *   take in what the peer still sends, so that the platform does not answer it with a reset that destroys our last
 *   bytes at the peer. Called again, it lets go at once
 * @property {() => void} reset ends the connection abruptly, or the attempt to connect: RST for tcp and tls,
 *   CONNECTION_CLOSE for quic
 */

/**
 * @typedef {{data: Uint8Array, host: string, port: number}} Addressed a datagram and where it goes
 * @typedef {Uint8Array | Addressed} Message bytes of a stream, a datagram of a connected socket, or one of a bound socket
 */

/**
 * What the core offers to a transport.
 * @typedef {object} TransportClient
 * @property {(details: {remote: Endpoint | null, local: Endpoint | null, tls?: TLSDetails}) => void} connected an end is
 *   null where the platform does not know it
 * @property {number} room how many more bytes the client wants; with 0 the transport stops reading until `resume()`
 * @property {(bytes: Uint8Array<ArrayBuffer>, owned: boolean) => boolean} received takes bytes that arrived. They are
 *   valid only within the call, unless they are owned: then the client may keep their buffer, and says so by true
 * @property {() => void} ended the peer's FIN arrived
 * @property {(count: number) => void} sent so many bytes of payload were accepted
 * @property {() => void} accepted all bytes of the last `write()` are accepted
 * @property {() => void} finAccepted the FIN was handed to the platform
 * @property {(failure: TransportFailure) => void} failed
 * @property {() => void} released the platform's resources are free
 */

/**
 * What the core offers to a transport of datagrams besides.
 * @typedef {object} DatagramExtras
 * @property {(data: Uint8Array<ArrayBuffer>, source: Endpoint) => void} datagram takes one that arrived, with its memory
 * @property {(size: number) => void} datagramSent one of so many bytes was accepted
 * @property {(size: number) => void} datagramUnsent one that was told of by `datagramSent()` was refused after all
 * @property {(failure: TransportFailure, lost: boolean) => void} failedSoftly something failed that does not end the
 *   socket; whether a datagram was not sent because of it
 *
 * @typedef {TransportClient & DatagramExtras} DatagramClient
 */

/**
 * One stream of a QUIC connection, seen from the core.
 * @typedef {object} StreamTransport
 * @property {Transport["write"]} write
 * @property {Transport["writeFin"]} writeFin
 * @property {Transport["resume"]} resume
 * @property {() => void} resetStream RESET_STREAM with the application error 0, for what has not arrived
 * @property {() => void} stopSending STOP_SENDING with the application error 0; what still arrives may be told or not
 *
 * @typedef {object} StreamExtras
 * @property {(code: number) => void} streamReset RESET_STREAM arrived; what was received before is passed on before
 * @property {(code: number | null) => void} stopped STOP_SENDING arrived; null where the platform does not tell the code
 *
 * @typedef {Pick<TransportClient, "room" | "received" | "ended" | "sent" | "accepted" | "finAccepted"> & StreamExtras
 *   } StreamClient
 * @typedef {(client: StreamClient) => StreamTransport} StreamConnect connects a stream, to be called at once; nothing is
 *   called back before it has returned
 */

/**
 * What a QUIC connection has beside the primary stream.
 * @typedef {object} SessionTransport
 * @property {(unidirectional: boolean, opened: (connect: StreamConnect) => void) => void} openStream opens one more stream,
 *   once connected. `opened` is called, later, when the peer allows it; never where the connection ends before
 * @property {(unidirectional: boolean, change: number) => void} [claim] is told how many more streams of the peer wait for
 *   somebody to take them, or fewer, where the platform can keep the peer from opening more
 * @property {(data: Uint8Array) => boolean} sendDatagram sends at most `maxDatagramSize` bytes, of which nothing is told.
 *   True: the next one may be sent. False: `client.datagramsAccepted()` will say so. The memory is the caller's again
 * @property {number} maxDatagramSize bytes of the largest datagram that can be sent at present; 0 where the peer takes none
 * @property {{sent: number, received: number}} packets how many QUIC packets there have been so far
 *
 * @typedef {Transport & StreamTransport & SessionTransport} QuicTransport
 *
 * @typedef {object} SessionExtras
 * @property {(unidirectional: boolean, connect: StreamConnect) => void} streamOpened the peer has opened a stream besides
 *   the primary one
 * @property {(data: Uint8Array<ArrayBuffer>) => void} datagram takes one that arrived, with its memory
 * @property {() => void} datagramsAccepted the next datagram may be sent
 * @property {(failure: TransportFailure, code: number) => void} peerClosed CONNECTION_CLOSE arrived, with an error code of
 *   the application or of QUIC
 *
 * @typedef {TransportClient & StreamClient & SessionExtras} QuicClient
 */

/**
 * @typedef {object} Server
 * @property {() => void} close stops accepting; `client.released()` will be called when the port is free
 */

/**
 * What the core offers to a server.
 * @typedef {object} ServerClient
 * @property {(details: {local: Endpoint}) => void} listening
 * @property {(failure: TransportFailure) => void} failed it could not begin to listen
 * @property {boolean} wanted whether there is anybody who would take a connection that comes in now; if not, it is to be
 *   reset
 * @property {(connect: Platform["connect"]) => void} incoming a connection came in. It is called back by `connect`, as
 *   for a connection that is made, for the transport that has `connected()` when its handshakes are done
 * @property {() => void} released
 */

export {};
