/**
 * Node's WritableStream is the standard's algorithms written in JavaScript, with the internal slots of a controller in a
 * record under a symbol. Where the standard's own interface does not suffice, the slots are what there is.
 */

import process from "node:process";

/** Node 20 throws an internal error for a write to a stream that is closed, instead of rejecting it. */
const forgetsSize = Number.parseInt(process.versions.node, 10) < 22;

/**
 * @param {WritableStreamDefaultController} controller
 * @param {string} name of a slot
 * @returns {any} the record that the slot is in
 */
function slotsWith(controller, name) {
  const records = Object.getOwnPropertySymbols(controller).map((symbol) => /** @type {any} */ (controller)[symbol]);
  return records.find((record) => record !== null && typeof record === "object" && name in record);
}

/**
 * A write asks for the size of its chunk first, and that Node 20 forgets how to tell when the stream is closed is what
 * the error comes from.
 * @param {WritableStreamDefaultController} controller
 */
export function mend(controller) {
  const slots = forgetsSize && slotsWith(controller, "sizeAlgorithm");
  if (!slots) return;
  const { sizeAlgorithm } = slots;
  Object.defineProperty(slots, "sizeAlgorithm", { get: () => sizeAlgorithm, set: () => {} });
}

/**
 * "update() of sendBufferSize changes the desiredSize of a writer by the difference", but the standard fixes the high
 * water mark when it makes a stream.
 * @param {WritableStreamDefaultController} controller
 * @param {number} size
 */
export function setHighWaterMark(controller, size) {
  const slots = slotsWith(controller, "highWaterMark");
  if (slots) slots.highWaterMark = size;
}
