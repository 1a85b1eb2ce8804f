/** Packages that come without types, or whose types their exports hide. */
declare module "event-target-shim" {
  const Shim: { new (): globalThis.EventTarget; prototype: globalThis.EventTarget };

  export { Shim as EventTarget };
  export const Event: typeof globalThis.Event;
  export function setErrorHandler(handler: (error: Error) => void): void;
  export function setWarningHandler(handler: () => void): void;
}

declare module "fast-text-encoding" {
  export const TextDecoder: typeof globalThis.TextDecoder;
  export const TextEncoder: typeof globalThis.TextEncoder;
}
