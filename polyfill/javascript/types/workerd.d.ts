export { installScope, listen, type WorkerServer } from "./worker.d.ts";

/**
 * The `connect` handler of a worker: `export default { connect }`. What comes in at a port that a SocketListener has
 * claimed goes to it, and everything else is told by the global `connect` event. Fulfils when the connection is over and
 * nothing waits for it any more.
 */
export function connect(socket: object): Promise<void>;
