/** A global object that includes SocketWorkerGlobalScope, as that of a socket worker does, and violations of it. */

function scope() {
  const target = new EventTarget();
  for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
    const value = (/** @type {any[]} */ ...args) => /** @type {any} */ (target)[name](...args);
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true });
  }
  /** @type {any} */
  let handler = null;
  const listener = (/** @type {Event} */ event) => {
    if (typeof handler === "function") Reflect.apply(handler, globalThis, [event]);
  };
  const holder = {
    get onconnect() {
      return handler;
    },
    set onconnect(value) {
      const kept = (typeof value === "object" && value !== null) || typeof value === "function" ? value : null;
      if (kept === null) target.removeEventListener("connect", listener);
      else if (handler === null) target.addEventListener("connect", listener);
      handler = kept;
    },
  };
  Object.defineProperty(
    globalThis,
    "onconnect",
    /** @type {any} */ (Reflect.getOwnPropertyDescriptor(holder, "onconnect")),
  );
}

/** @type {Record<string, (api: any) => void>} */
export const workers = {
  "a worker is right": scope,
  "a worker has no handler": () => {
    scope();
    Reflect.deleteProperty(globalThis, "onconnect");
  },
  "the handler of a worker is not enumerable": () => {
    scope();
    Object.defineProperty(globalThis, "onconnect", { enumerable: false });
  },
};
