import pg from "pg";
import { secure, work } from "./work.js";

/** @param {import("./work.js").Settings} settings */
export async function run({ ca, ...settings }) {
  const client = new pg.Client({ ...settings, ssl: secure(ca) });
  await client.connect();
  return work({
    query: async (text, values) => (await client.query(text, values)).rows,
    close: () => client.end(),
  });
}
