/** @type {any} the globals of Deno, of which no types are at hand */
const { Deno } = globalThis;

/**
 * Asks for the permission that something is going to need where Deno would throw past everybody, or not at all.
 * @param {string} address numeric
 * @param {number} port
 * @throws {Error} the NotCapable of Deno
 */
export function permit(address, port) {
  const host = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  if (Deno.permissions.requestSync({ name: "net", host }).state === "granted") return;
  throw new Deno.errors.NotCapable(`Requires net access to "${host}", run again with the --allow-net flag`);
}
