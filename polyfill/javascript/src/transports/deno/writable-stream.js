/** The internal slots of Deno's controllers are under symbols with the names that the Streams standard gives them. */
const highWaterMark = "[[strategyHWM]]";

/**
 * "update() of sendBufferSize changes the desiredSize of a writer by the difference", but the standard fixes the high
 * water mark when it makes a stream.
 * @param {WritableStreamDefaultController} controller
 * @param {number} size
 */
export function setHighWaterMark(controller, size) {
  const slot = Object.getOwnPropertySymbols(controller).find(({ description }) => description === highWaterMark);
  if (slot) /** @type {any} */ (controller)[slot] = size;
}
