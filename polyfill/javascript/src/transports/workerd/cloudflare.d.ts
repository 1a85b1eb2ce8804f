/** What is used of the platform's own modules and globals: https://developers.cloudflare.com/workers/runtime-apis/ */

declare module "cloudflare:sockets" {
  export interface PlatformSocket {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
    readonly opened: Promise<PlatformSocketInfo>;
    readonly closed: Promise<void>;
    readonly protocol: "tcp" | "udp";
    close(): Promise<void>;
    startTls(): PlatformSocket;
  }

  export interface PlatformSocketInfo {
    remoteAddress?: string | null;
    localAddress?: string | null;
  }

  export function connect(
    address: { hostname: string; port: number },
    options: { secureTransport: "on" | "off" | "starttls"; allowHalfOpen: boolean },
  ): PlatformSocket;
}

declare module "cloudflare:workers" {
  export class DurableObject<Bindings> {
    protected env: Bindings;
  }
}

/** A pair of streams, and a native one: what is piped out of it never gets to a script. */
declare class IdentityTransformStream extends TransformStream<Uint8Array, Uint8Array> {}

/** A chunk of the streams of a socket whose protocol is "udp". */
declare class Datagram {
  constructor(data: Uint8Array);
  readonly data: Uint8Array;
}

declare class WebSocketPair {
  0: WebSocket;
  1: WebSocket & { accept(): void };
}

interface ResponseInit {
  webSocket?: WebSocket;
}
