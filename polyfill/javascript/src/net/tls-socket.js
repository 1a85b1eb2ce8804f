/** `tls.TLSSocket`, as far as clients use it. https://nodejs.org/api/tls.html#class-tlstlssocket */

import { unsupported } from "./errors.js";
import { Socket } from "./socket.js";

/** @typedef {import("./options.js").Options} Options */

export class TLSSocket extends Socket {
  encrypted = true;

  authorized = false;

  /** Never anything: a certificate that is refused fails the connection. */
  authorizationError = null;

  /** @type {string | false | null} */
  alpnProtocol = null;

  /**
   * @param {Socket | null} socket the connection to be secured; null for one of its own
   * @param {Options} options of `tls.connect()`
   */
  constructor(socket, options) {
    super(options);
    if (socket === null) {
      this.connectSecurely(options);
      return;
    }
    if (!(socket instanceof Socket)) {
      throw unsupported("TLS over a stream that is no net.Socket of commonsocket/net", "connect that with it, too");
    }
    // The connection is this one's now, and so is what goes wrong with it.
    socket.once("error", (error) => this.destroy(error));
    this.once("close", () => socket.destroy());
    if (socket.pending) socket.once("connect", () => this.secureOver(socket, options));
    else this.secureOver(socket, options);
  }

  /** @override @protected */
  secured() {
    this.authorized = true;
    this.alpnProtocol = this.common?.info.tls?.alpn ?? false;
    this.emit("secure");
    this.emit("secureConnect");
  }

  get servername() {
    return this.common?.info.tls?.servername ?? false;
  }

  getProtocol() {
    return this.common?.info.tls?.version ?? null;
  }

  getCipher() {
    const { cipher: name, version } = this.common?.info.tls ?? {};
    return name ? { name, standardName: name, version } : {};
  }

  /** @returns {{raw?: Uint8Array}} the certificate's bytes, DER; its fields are for a library to read */
  getPeerCertificate() {
    const [leaf] = this.common?.info.tls?.peerCertificates ?? [];
    return leaf ? { raw: globalThis.Buffer ? globalThis.Buffer.from(leaf) : new Uint8Array(leaf) } : {};
  }
}
