import { defineInterface, granted } from "./webidl/interface.js";

/**
 * @typedef {object} Counters what a socket counts; its SocketStats shows it live
 * @property {number} bytesSent
 * @property {number} bytesReceived
 * @property {number | null} packetsSent
 * @property {number | null} packetsReceived
 * @property {number | null} packetsDropped
 * @property {number} createdAt a DOMHighResTimeStamp, like the other two
 * @property {number | null} readyAt
 * @property {number | null} closedAt
 */

/** The counters and times of one socket. */
export class SocketStats {
  /** @type {Counters} */
  #counters;

  /** @param {unknown[]} args */
  constructor(...args) {
    this.#counters = granted(args);
  }

  get bytesSent() {
    return this.#counters.bytesSent;
  }

  get bytesReceived() {
    return this.#counters.bytesReceived;
  }

  get packetsSent() {
    return this.#counters.packetsSent;
  }

  get packetsReceived() {
    return this.#counters.packetsReceived;
  }

  get packetsDropped() {
    return this.#counters.packetsDropped;
  }

  get createdAt() {
    return this.#counters.createdAt;
  }

  get readyAt() {
    return this.#counters.readyAt;
  }

  get closedAt() {
    return this.#counters.closedAt;
  }

  toJSON() {
    const { bytesSent, bytesReceived, packetsSent, packetsReceived, packetsDropped, createdAt, readyAt, closedAt } =
      this.#counters;
    return { bytesSent, bytesReceived, packetsSent, packetsReceived, packetsDropped, createdAt, readyAt, closedAt };
  }
}

defineInterface("SocketStats", SocketStats);
