/** The tunnel that sockets go through in a browser, and wherever else there are none: docs/tunnel.md. */

export { useTunnel } from "./transports/websocket/configuration.js";
