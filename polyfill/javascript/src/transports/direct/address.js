/**
 * How Chromium names an IPv4 address on a socket that takes both families. RFC 4291 section 2.5.5.2: "IPv4-mapped IPv6
 * addresses".
 */
const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i;

/**
 * @param {string} address as Chromium tells it
 * @returns {string} the address itself, without the family of the socket that met it
 */
export function plainAddress(address) {
  const [, high, low] = address.match(mapped) ?? [];
  if (high === undefined) return address;
  const bits = Number.parseInt(high, 16) * 0x1_00_00 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join(".");
}
