/** Bytes in JSON. */

/** How many arguments a call may safely have. */
const piece = 8192;

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let characters = "";
  for (let at = 0; at < bytes.length; at += piece) {
    characters += String.fromCharCode(...bytes.subarray(at, at + piece));
  }
  return btoa(characters);
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {DOMException} InvalidCharacterError
 */
export function bytesFromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
