import { type ConnectOptions, Socket, type SocketOptions } from "./net.d.ts";
import type { SocketCertificateHash } from "./socket.d.ts";

type Text = string | ArrayBufferView<ArrayBuffer> | ArrayBuffer;

/** Options of a handshake: those of Node that have a meaning on every platform. Others throw a TypeError. */
export interface SecureOptions {
  /** What the certificate is checked against, and what is sent. */
  servername?: string;
  ca?: Text | Text[];
  /** PEM */
  key?: Text;
  /** PEM, with its chain */
  cert?: Text;
  ALPNProtocols?: string[];
  /** In place of `rejectUnauthorized: false`: certificates that are known. */
  serverCertificateHashes?: SocketCertificateHash[];
  secureContext?: { options: SecureOptions };
}

/** A connection in the shape of `node:tls`, carried by a common Socket. */
export class TLSSocket extends Socket {
  constructor(socket: Socket | null, options: SecureOptions);
  readonly encrypted: true;
  readonly authorized: boolean;
  readonly authorizationError: null;
  readonly alpnProtocol: string | false | null;
  readonly servername: string | false;
  getProtocol(): string | null;
  getCipher(): { name?: string; standardName?: string; version?: string };
  /** The certificate's bytes, DER. */
  getPeerCertificate(): { raw?: Uint8Array };
}

/** With `socket` it upgrades that connection, else it makes one. */
export function connect(
  options: (SecureOptions & SocketOptions & ConnectOptions) | (SecureOptions & { socket: Socket; host?: string }),
  listener?: () => void,
): TLSSocket;
export function connect(port: number, host?: string, options?: SecureOptions, listener?: () => void): TLSSocket;

export function createSecureContext(options?: SecureOptions): { options: SecureOptions };

declare const tls: {
  TLSSocket: typeof TLSSocket;
  connect: typeof connect;
  createSecureContext: typeof createSecureContext;
};
export default tls;
