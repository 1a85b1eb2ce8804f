import type { Duplex } from "node:stream";

/** The members of `net.Socket` that clients use; those of a Duplex come with it. */
export type ClientMembers = Pick<
  import("node:net").Socket,
  | "address"
  | "bytesRead"
  | "bytesWritten"
  | "connecting"
  | "destroySoon"
  | "localAddress"
  | "localPort"
  | "pending"
  | "readyState"
  | "ref"
  | "remoteAddress"
  | "remoteFamily"
  | "remotePort"
  | "resetAndDestroy"
  | "setKeepAlive"
  | "setNoDelay"
  | "timeout"
  | "unref"
>;

/** Options of a connection: those of Node that have a meaning on every platform. Others throw a TypeError. */
export interface ConnectOptions {
  port: number;
  /** @default "localhost" */
  host?: string;
  localAddress?: string;
  localPort?: number;
  noDelay?: boolean;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
  /** ms without activity until the event `timeout` */
  timeout?: number;
}

export interface SocketOptions {
  allowHalfOpen?: boolean;
  signal?: AbortSignal;
}

export interface Socket extends ClientMembers {}

/** A connection in the shape of `node:net`, carried by a common Socket. */
export class Socket extends Duplex {
  constructor(options?: SocketOptions);
  connect(options: ConnectOptions, listener?: () => void): this;
  connect(port: number, listener?: () => void): this;
  connect(port: number, host: string, listener?: () => void): this;
  setTimeout(milliseconds: number, listener?: () => void): this;
  /** Upgrades this very stream to TLS, as `pg-cloudflare` names it. */
  startTls(options?: import("./tls.d.ts").SecureOptions): void;
}

export { Socket as Stream };

export function connect(options: ConnectOptions & SocketOptions, listener?: () => void): Socket;
export function connect(port: number, listener?: () => void): Socket;
export function connect(port: number, host: string, listener?: () => void): Socket;
export const createConnection: typeof connect;

export function isIP(text: string): 0 | 4 | 6;
export function isIPv4(text: string): boolean;
export function isIPv6(text: string): boolean;

declare const net: {
  Socket: typeof Socket;
  Stream: typeof Socket;
  connect: typeof connect;
  createConnection: typeof connect;
  isIP: typeof isIP;
  isIPv4: typeof isIPv4;
  isIPv6: typeof isIPv6;
};
export default net;
