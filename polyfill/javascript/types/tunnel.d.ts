/** The tunnel that sockets go through in a browser, and wherever else there are none: docs/tunnel.md. */

export interface TunnelConfiguration {
  /**
   * Where the tunnel is, with the scheme ws or wss; in a page also relative to it. A function gives it for each socket,
   * for tunnels that are told by the address where to go; a bound udp socket has no remote end.
   */
  url: string | URL | ((remote: { address: string; port: number } | null) => string | URL);
  /** Shows the tunnel that this client may use it. It is sent as a subprotocol, which proxies do not log. */
  token?: string;
  /** The subprotocols to offer, `["binary", "commonsocket.v1"]` by default: `[]` for daemons that know none. */
  protocols?: string[];
  /** What opens WebSockets in place of the global constructor, or where there is none, such as that of the package ws. */
  WebSocket?: new (url: string, protocols: string[]) => WebSocket;
}

/**
 * Has the sockets that are constructed from now on go through a tunnel. It has no effect where the runtime has sockets of
 * its own. Null configures none: sockets then fail with a NotAllowedError.
 *
 * @throws {TypeError} for a configuration that cannot be used
 */
export function useTunnel(configuration: TunnelConfiguration | null): void;
