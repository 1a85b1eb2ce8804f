import type { SocketEndpoint, SocketListenerInit, SocketWorkerGlobalScope } from "./socket.d.ts";

/** Gives the global object what a socket worker expects of it: the `connect` event and `onconnect`. */
export function installScope(): void;

/** What listens at one address for the global scope. */
export interface WorkerServer {
  /** Where it is bound to. */
  readonly address: SocketEndpoint;
  /** Stops accepting; fulfils when the port is free. Connections live on. */
  close(): Promise<undefined>;
  /** Stops accepting, and resets what has not finished after `grace` milliseconds. Fulfils with how many that were. */
  stop(grace: number): Promise<number>;
}

/** Listens, and dispatches the `connect` events at the global object. */
export function listen(init?: SocketListenerInit): Promise<WorkerServer>;

export type { SocketWorkerGlobalScope };
