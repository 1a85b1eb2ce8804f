/** Buffers and their views as tagged values. */

import { Fault } from "./faults.js";

/** @typedef {ArrayBuffer | SharedArrayBuffer} AnyBuffer */

// What surrounds the view in a larger buffer: were it sent instead of the view's bytes, a test would see it.
const SURROUNDINGS = 0xee;

const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get;

/**
 * @param {unknown} value
 * @returns {value is AnyBuffer}
 */
export function isBuffer(value) {
  return (
    value instanceof ArrayBuffer || (typeof SharedArrayBuffer === "function" && value instanceof SharedArrayBuffer)
  );
}

/**
 * @param {ArrayBufferView | AnyBuffer} value
 * @returns {Record<string, unknown>}
 */
export function encodeBytes(value) {
  const view = ArrayBuffer.isView(value) ? value : undefined;
  const buffer = /** @type {AnyBuffer} */ (view?.buffer ?? value);
  const length = value.byteLength;
  /** @type {Record<string, unknown>} */
  const wire = { $: "bytes", view: className(value) };
  if (length === 0 && isDetached(buffer)) return { ...wire, base64: "", detached: true };
  const bytes = new Uint8Array(buffer, view?.byteOffset ?? 0, length);
  wire.base64 = toBase64(bytes);
  if (view !== undefined) {
    if (view.byteOffset > 0) wire.prefix = view.byteOffset;
    const suffix = buffer.byteLength - view.byteOffset - length;
    if (suffix > 0) wire.suffix = suffix;
    if (!(buffer instanceof ArrayBuffer)) wire.shared = true;
  }
  return wire;
}

/**
 * @param {any} wire
 * @returns {ArrayBufferView | AnyBuffer}
 */
export function decodeBytes(wire) {
  const { view, prefix = 0, suffix = 0, shared = false, resizable = false, detached = false } = wire;
  const content = "fill" in wire ? new Uint8Array(wire.length).fill(wire.fill) : fromBase64(wire.base64);
  const size = prefix + content.length + suffix;
  const Buffer = shared || view === "SharedArrayBuffer" ? SharedArrayBuffer : ArrayBuffer;
  // The second argument is in no library that the type checker knows for Node 20; engines without it ignore it.
  const options = resizable ? [{ maxByteLength: size }] : [];
  const buffer = /** @type {AnyBuffer} */ (Reflect.construct(Buffer, [size, ...options]));
  const all = new Uint8Array(buffer).fill(SURROUNDINGS);
  all.set(content, prefix);
  const value = viewOf(view, buffer, prefix, content.length);
  if (detached) structuredClone(buffer, { transfer: [/** @type {ArrayBuffer} */ (buffer)] });
  return value;
}

/**
 * @param {string} name
 * @param {AnyBuffer} buffer
 * @param {number} offset
 * @param {number} length in bytes
 */
function viewOf(name, buffer, offset, length) {
  if (name === "ArrayBuffer" || name === "SharedArrayBuffer") return buffer;
  const View = VIEWS[name];
  if (View === undefined) throw new Fault("invalid-request", `there is no view ${JSON.stringify(name)}`);
  return new View(buffer, offset, length / (View.BYTES_PER_ELEMENT ?? 1));
}

/** @type {Record<string, any>} */
const VIEWS = {
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};

/** @param {ArrayBufferView | AnyBuffer} value */
function className(value) {
  // The getter names the kind of typed array whatever its subclass, so that Node's Buffer is the Uint8Array it is.
  if (ArrayBuffer.isView(value)) return tagOf?.call(value) ?? "DataView";
  return value instanceof ArrayBuffer ? "ArrayBuffer" : "SharedArrayBuffer";
}

/** @param {AnyBuffer} buffer */
function isDetached(buffer) {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

// As many arguments as every engine takes in one call.
const PORTION = 0x8000;

/** @type {(bytes: Uint8Array) => string} */
const toBase64 =
  typeof Buffer === "function"
    ? (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64")
    : (bytes) => {
        let text = "";
        for (let start = 0; start < bytes.length; start += PORTION) {
          text += String.fromCharCode(...bytes.subarray(start, start + PORTION));
        }
        return btoa(text);
      };

/** @type {(text: string) => Uint8Array} */
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
