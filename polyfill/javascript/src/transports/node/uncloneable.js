import * as workers from "node:worker_threads";

/**
 * "structuredClone(socket) throws a DataCloneError". Node's EventTarget is an ordinary object, of which a clone would be
 * an empty one, so it takes a mark (Node 22.10 and later), or an exotic object: the serializer of V8 refuses a Proxy,
 * and without traps it is otherwise the same as its target.
 */
const mark = /** @type {{markAsUncloneable?: (object: object) => void}} */ (workers).markAsUncloneable;

/**
 * @template {object} T
 * @param {T} object
 * @returns {T} the object, or what stands in for it
 */
export function uncloneable(object) {
  if (!mark) return new Proxy(object, {});
  mark(object);
  return object;
}
