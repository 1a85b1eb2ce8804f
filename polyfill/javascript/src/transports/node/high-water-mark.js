/**
 * "update() of sendBufferSize changes the desiredSize of a writer by the difference", but the Streams standard fixes the
 * high water mark when it makes a stream. Node is its standard written in JavaScript, with the internal slots of a
 * controller in a record under a symbol of its own.
 *
 * @param {WritableStreamDefaultController} controller
 * @param {number} size
 */
export function setHighWaterMark(controller, size) {
  for (const symbol of Object.getOwnPropertySymbols(controller)) {
    const slots = /** @type {any} */ (controller)[symbol];
    if (typeof slots?.highWaterMark === "number") slots.highWaterMark = size;
  }
}
