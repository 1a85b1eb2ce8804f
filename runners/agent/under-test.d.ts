/** What `runners/bridge/bundler.py` puts in the place of the module "under-test" in a bundle. */
declare module "under-test" {
  /** What the implementation exports; nothing where it is the runtime's own. */
  export const exports: import("./shell.js").Shell["exports"];
  /** The host of socket workers that is beside the implementation. */
  export const host: import("./shell.js").Shell["host"];
  /** What says which tunnel sockets go through, if that is beside the implementation. */
  export const tunnel: { useTunnel: (configuration: { url: string }) => void } | null;
  /** Name and version of the implementation; null where it is the runtime's own. */
  export const description: { name: string; version: string } | null;
  /** The IDL tree, spec/generated/idl.json. */
  export const tree: unknown;
}
