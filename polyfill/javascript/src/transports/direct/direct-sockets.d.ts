/** What is used of https://wicg.github.io/direct-sockets/, which TypeScript does not have. */

interface Ends {
  remoteAddress: string;
  remotePort: number;
  localAddress: string;
  localPort: number;
}

export interface TCPSocketOpenInfo extends Ends {
  readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  writable: WritableStream<Uint8Array>;
}

export interface UDPMessage {
  data: Uint8Array<ArrayBuffer>;
  /** Only where the socket is bound, and not connected. */
  remoteAddress?: string;
  remotePort?: number;
}

export interface UDPSocketOpenInfo extends Ends {
  readable: ReadableStream<UDPMessage>;
  writable: WritableStream<UDPMessage>;
}

export interface UDPSocketOptions {
  remoteAddress?: string;
  remotePort?: number;
  localAddress?: string;
  localPort?: number;
  ipv6Only?: boolean;
}

export interface TCPServerSocketOpenInfo {
  readable: ReadableStream<TCPSocket>;
  localAddress: string;
  localPort: number;
}

interface DirectSocket<OpenInfo> {
  readonly opened: Promise<OpenInfo>;
  readonly closed: Promise<undefined>;
  close(): Promise<undefined>;
}

export type TCPSocket = DirectSocket<TCPSocketOpenInfo>;
export type UDPSocket = DirectSocket<UDPSocketOpenInfo>;
export type TCPServerSocket = DirectSocket<TCPServerSocketOpenInfo>;

declare global {
  const TCPSocket: new (
    remoteAddress: string,
    remotePort: number,
    options?: { noDelay?: boolean; keepAliveDelay?: number },
  ) => TCPSocket;
  const UDPSocket: new (options: UDPSocketOptions) => UDPSocket;
  const TCPServerSocket: new (
    localAddress: string,
    options?: { localPort?: number; backlog?: number; ipv6Only?: boolean },
  ) => TCPServerSocket;
}
