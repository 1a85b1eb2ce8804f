// What `pg` asks for in workerd, as docs/drivers.md says.
export { Socket as CloudflareSocket } from "../../../polyfill/javascript/src/net.js";
