import postgres from "postgres";
import { secure, work } from "./work.js";

/** @param {import("./work.js").Settings} settings */
export async function run({ ca, ...settings }) {
  // One connection: the work asks which one it is on.
  const sql = postgres({ ...settings, ssl: secure(ca), max: 1 });
  return work({
    query: (text, values) => sql.unsafe(text, values),
    close: () => sql.end(),
  });
}
