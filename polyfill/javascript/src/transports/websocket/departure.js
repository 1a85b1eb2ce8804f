/** @typedef {import("./tunnel-transport.js").Link} Link */

/** How many bytes may wait in the WebSocket before a write has to. */
const mostUnsent = 131_072;

/** How often to look whether they still do: there is no event for it. In ms. */
const period = 4;

/** Whether what a WebSocket was given has left it, where the tunnel grants no windows. */
export class Departure {
  #link;
  #departed;

  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;

  /**
   * @param {Link} link
   * @param {() => void} departed called when a write that was not prompt has left
   */
  constructor(link, departed) {
    this.#link = link;
    this.#departed = departed;
  }

  /** @returns {boolean} whether the next write may come at once; if not, `departed` will say when */
  isPrompt() {
    if (this.#link.unsent <= mostUnsent) return true;
    this.#timer = setTimeout(() => this.#look(), period);
    return false;
  }

  stop() {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look() {
    this.#timer = null;
    if (this.#link.unsent > mostUnsent / 2) this.#timer = setTimeout(() => this.#look(), period);
    else this.#departed();
  }
}
