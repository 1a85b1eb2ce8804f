/**
 * The probes of the agent protocol's `idl` operation: each looks at the implementation under test from inside and
 * answers with facts. The harness, which knows the IDL, judges them; docs/idl-cases.md lists them.
 */

import { convert } from "./convert.js";
import { witness } from "./instances.js";
import { construction, interfaceObject, names, property, subclass } from "./interfaces.js";
import { attribute, clone, handler, iterator, json, receivers } from "./members.js";
import { Session } from "./session.js";

/** @typedef {import("./session.js").Env} Env */
/** @typedef {import("./session.js").Request} Request */
/** @typedef {import("./describe.js").Facts} Facts */

/**
 * Runs one probe, and beside it the witness that the implementation works.
 *
 * @param {(session: Session) => Promise<Facts>} look
 * @returns {(request: Request, env: Env) => Promise<Facts>}
 */
function probe(look) {
  return async (request, env) => {
    const session = new Session(request, env);
    try {
      await session.prepare();
      const facts = await attempt(() => look(session));
      return { ...facts, witness: await attempt(() => witness(session)) };
    } finally {
      await session.close();
    }
  };
}

/**
 * A probe that cannot do its work says why: that is a fact about the implementation, too.
 *
 * @param {() => Promise<Facts>} look
 * @returns {Promise<Facts>}
 */
async function attempt(look) {
  try {
    return await look();
  } catch (error) {
    return { failed: String(error) };
  }
}

/** @type {Record<string, (request: Request, env: Env) => Promise<Facts>>} */
export const probes = {
  interface: probe(interfaceObject),
  construction: probe(construction),
  subclass: probe(subclass),
  names: probe(names),
  property: probe(property),
  receivers: probe(receivers),
  attribute: probe(attribute),
  handler: probe(handler),
  json: probe(json),
  iterator: probe(iterator),
  clone: probe(clone),
  convert: probe(convert),
};
