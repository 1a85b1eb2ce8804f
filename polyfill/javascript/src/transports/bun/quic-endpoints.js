/**
 * The UDP sockets under quic sockets. Each endpoint of node:quic has one, and a whole engine besides; with several in one
 * process Bun is late to send and receive on them. So the connections from one address share an endpoint, as long as there
 * are any, unless a port was chosen for one.
 *
 * @typedef {object} Use of an endpoint by one connection
 * @property {any} endpoint
 * @property {Promise<never>} broken rejects where the address cannot be bound
 * @property {() => Promise<unknown>} letGo fulfils when the endpoint is closed, or others use it
 */

/** @typedef {{endpoint: any, broken: Promise<never>, users: number}} Shared */

/** @type {Map<string, Shared>} */
const shared = new Map();

/**
 * @param {import("./node-quic.js").QuicModule} quic
 * @param {string} address of this end
 * @param {number} port 0 where none was chosen
 * @returns {Use}
 */
export function useEndpoint(quic, address, port) {
  const known = port === 0 ? shared.get(address) : undefined;
  const entry = known ?? open(quic, address, port);
  if (port === 0) shared.set(address, entry);
  entry.users += 1;
  return {
    endpoint: entry.endpoint,
    broken: entry.broken,
    async letGo() {
      entry.users -= 1;
      if (entry.users > 0) return;
      if (shared.get(address) === entry) shared.delete(address);
      await entry.endpoint.close().catch(() => {});
    },
  };
}

/**
 * @param {import("./node-quic.js").QuicModule} quic
 * @param {string} address
 * @param {number} port
 * @returns {Shared}
 */
function open({ QuicEndpoint }, address, port) {
  const endpoint = new QuicEndpoint({ address: { address, port, family: familyOf(address) } });
  const broken = endpoint.closed.then(() => new Promise(() => {}));
  broken.catch(() => {});
  return { endpoint, broken, users: 0 };
}

/** @param {string} address */
export function familyOf(address) {
  return address.includes(":") ? "ipv6" : "ipv4";
}
