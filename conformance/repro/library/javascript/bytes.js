import { createHash } from "node:crypto";

/** Makes bytes from hexadecimal digits. */
export function octets(digits) {
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

/** Makes bytes from text. */
export function utf8(text) {
  return new TextEncoder().encode(text);
}

/** Makes bytes that are all the same. */
export function filled(length, value) {
  return new Uint8Array(length).fill(value);
}

/** What the random bytes of the test are made from. */
const SEED = "";

/** Makes the random bytes that the test drew. */
export function payload(number, size) {
  const hash = createHash("shake128", { outputLength: size });
  return Uint8Array.from(hash.update(`${SEED}#${number}`).digest());
}

/** Joins bytes. */
export function joined(...parts) {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Makes a view of bytes, in a larger buffer where there are bytes before or after it. */
export function view(
  type,
  bytes,
  { before = 0, after = 0, shared = type === "SharedArrayBuffer", resizable = false } = {},
) {
  const size = before + bytes.length + after;
  const options = resizable ? [{ maxByteLength: size }] : [];
  const buffer = shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size, ...options);
  new Uint8Array(buffer).fill(0xee).set(bytes, before);
  if (type.endsWith("Buffer")) return buffer;
  const View = globalThis[type];
  return new View(buffer, before, bytes.length / (View.BYTES_PER_ELEMENT ?? 1));
}

/** Takes the bytes from a buffer or view, as a transfer to a worker does. */
export function detached(value) {
  structuredClone(value, { transfer: [value.buffer ?? value] });
  return value;
}
