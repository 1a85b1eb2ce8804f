/** Where to connect to: the options of Deno that have a meaning on every platform. */
export interface ConnectOptions {
  port: number;
  /** @default "127.0.0.1" */
  hostname?: string;
  transport?: "tcp";
  signal?: AbortSignal;
}

export interface StartTlsOptions {
  /** What the certificate is checked against, and what is sent. @default "127.0.0.1" */
  hostname?: string;
  /** PEM; whom to trust in place of those that the platform trusts */
  caCerts?: string[];
  alpnProtocols?: string[];
  /** `true` is not supported. */
  unsafelyDisableHostnameVerification?: boolean;
}

export interface ConnectTlsOptions extends ConnectOptions, StartTlsOptions {
  hostname?: string;
  /** PEM, with its chain */
  cert?: string;
  /** PEM */
  key?: string;
}

export interface NetAddr {
  transport: "tcp";
  hostname: string;
  port: number;
}

/** A connection in the shape of `Deno.TcpConn`, carried by a common Socket. */
export class Conn {
  private constructor();
  readonly localAddr: NetAddr;
  readonly remoteAddr: NetAddr;
  /** Fulfils with how many bytes were received into `target`; null is the end. */
  read(target: Uint8Array): Promise<number | null>;
  /** Fulfils with how many bytes were sent, when they belong to the caller again. */
  write(bytes: Uint8Array): Promise<number>;
  /** Sends the FIN behind what was written. */
  closeWrite(): Promise<void>;
  /** Sends what was written and the FIN, and reads no more. */
  close(): void;
  /** Cancelling it closes the connection. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Closing it sends the FIN, and aborting it resets the connection. */
  readonly writable: WritableStream<Uint8Array>;
  setNoDelay(noDelay?: boolean): void;
  setKeepAlive(keepAlive?: boolean): void;
  ref(): void;
  unref(): void;
  [Symbol.dispose](): void;
}

/** A connection in the shape of `Deno.TlsConn`, whose handshake is done. */
export class TlsConn extends Conn {
  handshake(): Promise<{ alpnProtocol: string | null }>;
}

export function connect(options: ConnectOptions): Promise<Conn>;

/** Rejects also where the handshake fails, which Deno tells with the first read or write. */
export function connectTls(options: ConnectTlsOptions): Promise<TlsConn>;

/** Upgrades a connection, which is of no use any more. */
export function startTls(conn: Conn, options?: StartTlsOptions): Promise<TlsConn>;

type ErrorClass = new (message?: string, options?: ErrorOptions) => Error & { code?: string };

/** The classes of `Deno.errors` that connections throw: Deno's own where it has them. */
export const errors: Record<
  | "AddrInUse"
  | "AddrNotAvailable"
  | "BadResource"
  | "BrokenPipe"
  | "Busy"
  | "ConnectionAborted"
  | "ConnectionRefused"
  | "ConnectionReset"
  | "Interrupted"
  | "InvalidData"
  | "NetworkUnreachable"
  | "NotCapable"
  | "NotSupported"
  | "PermissionDenied"
  | "TimedOut"
  | "UnexpectedEof",
  ErrorClass
>;

declare const deno: {
  Conn: typeof Conn;
  TlsConn: typeof TlsConn;
  connect: typeof connect;
  connectTls: typeof connectTls;
  errors: typeof errors;
  startTls: typeof startTls;
};
export default deno;
