// What a bundler puts in place of the global `Deno`, as docs/drivers.md says.
export { default as Deno } from "commonsocket/deno";
