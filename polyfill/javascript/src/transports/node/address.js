/**
 * How Node names an IPv4 address on a socket that takes both families. RFC 4291 section 2.5.5.2: "IPv4-mapped IPv6
 * addresses".
 */
const mapped = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/**
 * @param {string} address as Node tells it
 * @returns {string} the address itself, without the family of the socket that met it
 */
export function plainAddress(address) {
  return address.replace(mapped, "");
}
