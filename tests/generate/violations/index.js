/** The polyfill with one violation of the Web IDL's promises, by name. */

import * as polyfill from "../../../polyfill/javascript/src/index.js";
import { conversions } from "./conversions.js";

/** @type {Record<string, (api: any) => void>} */
const VIOLATIONS = { none: () => {}, ...conversions };

/**
 * Returns the interfaces of the polyfill after the violation `name` was done to them.
 *
 * @param {string} name
 * @returns {any}
 */
export function violated(name) {
  const violate = VIOLATIONS[name];
  if (violate === undefined) throw new Error(`there is no violation called ${name}`);
  const api = { ...polyfill };
  violate(api);
  return api;
}
