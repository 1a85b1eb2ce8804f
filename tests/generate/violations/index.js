/** The polyfill with one violation of what the Web IDL promises, by name. */

import * as polyfill from "../../../polyfill/javascript/src/index.js";
import { conversions } from "./conversions.js";
import { definitions } from "./definitions.js";
import { handlers } from "./handlers.js";
import { listeners } from "./listener.js";
import { workers } from "./workers.js";

/** @type {Record<string, (api: any) => void>} */
const VIOLATIONS = { none: () => {}, ...conversions, ...definitions, ...handlers, ...listeners, ...workers };

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
