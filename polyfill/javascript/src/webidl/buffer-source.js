/**
 * BufferSource, as the Web IDL standard converts it: an ArrayBuffer or a view on one, never shared, never resizable.
 * https://webidl.spec.whatwg.org/#js-buffer-source-types
 */

/**
 * @param {object} prototype
 * @param {string} name
 * @returns {(receiver: unknown) => unknown} the attribute's getter, which throws on a receiver of another kind
 */
function getterOf(prototype, name) {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  return (receiver) => get?.call(receiver);
}

const arrayBufferByteLength = getterOf(ArrayBuffer.prototype, "byteLength");

/**
 * Looks for the internal slot rather than at the prototype, so that buffers of other realms count, too.
 * @param {unknown} value
 * @returns {value is ArrayBuffer}
 */
export function isArrayBuffer(value) {
  try {
    arrayBufferByteLength(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {unknown} value
 * @returns {boolean} whether a union with BufferSource in it takes the value for one
 */
export function isBufferSource(value) {
  return ArrayBuffer.isView(value) || isArrayBuffer(value);
}

/**
 * @param {unknown} value
 * @returns {number} how many bytes a chunk holds; 0 for what is no chunk
 */
export function byteLengthOf(value) {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  return isArrayBuffer(value) ? value.byteLength : 0;
}

/**
 * @param {unknown} value
 * @param {string} what how the message calls the value
 * @returns {Uint8Array<ArrayBuffer>} the bytes of the value, not copied
 * @throws {TypeError} unless the value is a BufferSource
 */
export function bytesOf(value, what) {
  if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && !value.buffer.resizable) {
    return /** @type {Uint8Array<ArrayBuffer>} */ (value);
  }
  const view = ArrayBuffer.isView(value);
  const buffer = view ? value.buffer : value;
  // "If the conversion is not to an IDL type associated with the [AllowShared] extended attribute, and
  // IsSharedArrayBuffer(V.[[ViewedArrayBuffer]]) is true, then throw a TypeError."
  if (!isArrayBuffer(buffer)) {
    throw new TypeError(`${what} is not an ArrayBuffer or a view on one${view ? ", but on shared memory" : ""}`);
  }
  // The same for [AllowResizable].
  if (buffer.resizable) throw new TypeError(`${what} is resizable memory`);
  return view ? new Uint8Array(buffer, value.byteOffset, value.byteLength) : new Uint8Array(buffer);
}
