/**
 * "structuredClone(socket) throws a DataCloneError". A browser's EventTarget is a platform object, of which there are no
 * clones. Where it is an ordinary object, the serializer of V8 refuses a Proxy of it, which is otherwise the same.
 */
const refusedAlready = refuses(new EventTarget());

/** @param {object} object */
function refuses(object) {
  try {
    structuredClone(object);
    return false;
  } catch {
    return true;
  }
}

/**
 * @template {object} T
 * @param {T} object
 * @returns {T} the object, or what stands in for it
 */
export function uncloneable(object) {
  return refusedAlready ? object : new Proxy(object, {});
}
