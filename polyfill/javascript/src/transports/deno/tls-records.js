/** RFC 8446 section 5.1: type (1), version (2), length (2). */
const headerSize = 5;
const lengthAt = 3;

/** Where the records of TLS end in a stream of bytes. */
export class RecordEnds {
  /** How much of the header of the present record was seen. */
  #header = 0;

  /** How many bytes of its body are to come. */
  #body = 0;

  /**
   * @param {Uint8Array} bytes the next ones of the stream
   * @param {Uint8Array[]} parts gets the same ones, cut behind each record
   */
  cut(bytes, parts) {
    const { length } = bytes;
    let start = 0;
    for (let at = 0; at < length; ) {
      if (this.#header < headerSize) {
        if (this.#header >= lengthAt) this.#body = this.#body * 256 + bytes[at];
        this.#header += 1;
        at += 1;
      } else {
        const count = Math.min(this.#body, length - at);
        this.#body -= count;
        at += count;
      }
      if (this.#header < headerSize || this.#body > 0) continue;
      this.#header = 0;
      parts.push(bytes.subarray(start, at));
      start = at;
    }
    if (start < length) parts.push(bytes.subarray(start));
  }
}
