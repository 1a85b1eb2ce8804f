/** The operations of the protocol. `steps` work on the API and can be part of a sequence; `services` are the agent's own. */

import { attempt, Fault, Threw } from "./faults.js";
import { asPromise, observeEvents, observePromise, standing } from "./observers.js";
import { decode, decodeSymbol, encode, encodeHandle } from "./values.js";

/**
 * @typedef {import("./values.js").Context} Context
 * @typedef {import("./values.js").Wire} Wire
 * @typedef {Record<string, any>} Request
 * @typedef {{value: Wire} | {threw: Wire} | {fault: {code: string, message: string}}} Answer
 */

const nothing = () => {};

/** @type {Record<string, (request: Request, context: Context) => unknown>} */
const steps = {
  construct({ name, args }, context) {
    const type = context.globals[name];
    if (typeof type !== "function") throw new Fault("unknown-name", `there is no constructor ${name}`);
    const values = decodeAll(args, context);
    return attempt(() => Reflect.construct(type, values));
  },

  get({ on, name }, context) {
    const object = subject(on, context);
    const key = member(name);
    return attempt(() => object[key]);
  },

  set({ on, name, value }, context) {
    const object = subject(on, context);
    const key = member(name);
    const content = decode(value, context);
    // As in sloppy code, which most of the web is: writing to a read-only member does nothing.
    attempt(() => Reflect.set(object, key, content));
  },

  call({ on, name, args, handled = true }, context) {
    const object = subject(on, context);
    const key = member(name);
    const values = decodeAll(args, context);
    const method = attempt(() => object[key]);
    // Calling it all the same would give a TypeError, which a test may take for one of the API's own.
    if (typeof method !== "function") throw new Fault("unknown-name", `the object has no method ${name}`);
    const result = attempt(() => Reflect.apply(method, object, values));
    // A user handles what a method returns; what a getter returns must be handled by the API itself.
    if (handled && result instanceof Promise) Promise.prototype.then.call(result, nothing, nothing);
    return result;
  },

  observe({ on, as, events }, context) {
    const object = subject(on, context);
    const label = context.call === undefined ? as : as.replace("{call}", String(context.call));
    if (events !== undefined) observeEvents(object, events, label, context.scope);
    else observePromise(object, label, context.scope);
  },
};

/**
 * @typedef {object} Agent
 * @property {{listen: (init: unknown) => Promise<object>} | null} host what runs socket workers, if there is one
 * @property {Record<string, (request: Request, env: any) => unknown>} probes
 * @property {unknown} tree the IDL tree, spec/generated/idl.json
 * @property {() => void} leave
 * @property {(name: string) => void} release
 */

/** @type {Record<string, (request: Request, context: Context, agent: Agent) => Wire | Promise<Wire>>} */
const services = {
  settle({ on, limit }, context) {
    return standing(subject(on, context), context.scope, (done) => {
      const timer = setTimeout(done, limit);
      return () => clearTimeout(timer);
    });
  },

  async state({ on }, context) {
    const promise = asPromise(subject(on, context));
    // A later task: by then every reaction that was due has run, and those that they caused.
    await new Promise((resolve) => nextTask(() => resolve(undefined)));
    return standing(promise, context.scope, (done) => {
      nextTask(done);
      return nothing;
    });
  },

  async log({ since = 0, until, limit = 0 }, { scope }) {
    if (until !== undefined) await scope.entry(until, since, limit);
    return scope.log.slice(since);
  },

  sequence({ steps: requests }, context) {
    return runSteps(requests, { ...context, results: [] });
  },

  leave(_request, _context, agent) {
    agent.leave();
    return { $: "undefined" };
  },

  release({ scope }, _context, agent) {
    agent.release(scope);
    return { $: "undefined" };
  },

  async listen({ init }, context, agent) {
    if (agent.host === null) throw new Fault("unsupported-operation", "there is no host of socket workers");
    const server = await agent.host.listen(decode(init, context)).catch((error) => {
      throw new Threw(error);
    });
    return encodeHandle(server, context.scope);
  },

  async idl(request, context, agent) {
    const probe = Object.hasOwn(agent.probes, request.probe) ? agent.probes[request.probe] : undefined;
    if (probe === undefined) throw new Fault("unknown-name", `there is no probe ${JSON.stringify(request.probe)}`);
    const values = {
      /** @param {unknown} value */
      encode: (value) => encode(value, context.scope),
      /** @param {Wire} wire */
      decode: (wire) => decode(wire, context),
    };
    return probe(request, { globals: context.globals, values, tree: agent.tree });
  },
};

/** @type {(task: () => void) => void} */
const nextTask = typeof setImmediate === "function" ? (task) => setImmediate(task) : (task) => setTimeout(task, 0);

/**
 * Carries out a request. The answer comes at once wherever nothing has to be waited for.
 *
 * @param {Request} request
 * @param {Context} context
 * @param {Agent} agent
 * @returns {Answer | Promise<Answer>}
 */
export function carryOut(request, context, agent) {
  if (Object.hasOwn(steps, request.op)) return runStep(request, context).answer;
  try {
    if (!Object.hasOwn(services, request.op)) throw new Fault("unsupported-operation", `unknown: ${request.op}`);
    const value = services[request.op](request, context, agent);
    if (!(value instanceof Promise)) return { value };
    return value.then(
      (late) => ({ value: late }),
      (error) => failure(error, context),
    );
  } catch (error) {
    return failure(error, context);
  }
}

/**
 * Carries out steps in one turn. Each may refer to the values of earlier ones.
 *
 * @param {Request[]} requests
 * @param {Context & {results: unknown[]}} context
 * @returns {Answer[]}
 */
export function runSteps(requests, context) {
  return requests.map((request, index) => {
    const { answer, value } = runStep(request, context);
    if ("value" in answer) context.results[index] = value;
    return answer;
  });
}

/**
 * @param {Request} request
 * @param {Context} context
 * @returns {{answer: Answer, value?: unknown}}
 */
function runStep(request, context) {
  try {
    if (!Object.hasOwn(steps, request.op)) throw new Fault("invalid-request", `${request.op} is no step`);
    const value = steps[request.op](request, context);
    // What was constructed is wanted as an object to work with, even a buffer.
    const bytes = request.op === "construct" && ArrayBuffer.isView(value);
    const wire = bytes ? encodeHandle(/** @type {object} */ (value), context.scope) : encode(value, context.scope);
    return { answer: { value: wire }, value };
  } catch (error) {
    return { answer: failure(error, context) };
  }
}

/**
 * @param {unknown} error
 * @param {Context} context
 * @returns {Answer}
 */
function failure(error, { scope }) {
  if (error instanceof Threw) return { threw: encode(error.thrown, scope) };
  if (error instanceof Fault) return { fault: { code: error.code, message: error.message } };
  // A request that does not keep to the protocol makes the agent itself stumble.
  return { fault: { code: "invalid-request", message: String(error) } };
}

/**
 * @param {unknown} on
 * @param {Context} context
 * @returns {any}
 */
function subject(on, context) {
  if (typeof on === "number") return context.scope.handles.get(on);
  if (typeof on === "string") return global(on, context);
  const value = decode(on, context);
  // Without this, a TypeError of the agent's own would look like one that the API threw.
  if (Object(value) !== value) throw new Fault("invalid-request", `${value} is no object to act on`);
  return value;
}

/**
 * @param {string} name
 * @param {Context} context
 */
function global(name, { globals }) {
  const value = name === "globalThis" ? globalThis : globals[name];
  if (value === undefined) throw new Fault("unknown-name", `there is no global ${name}`);
  return value;
}

/** @param {string} name */
function member(name) {
  return name.startsWith("@@") ? decodeSymbol(name) : name;
}

/**
 * @param {Wire[]} args
 * @param {Context} context
 */
function decodeAll(args, context) {
  return args.map((wire) => decode(wire, context));
}
