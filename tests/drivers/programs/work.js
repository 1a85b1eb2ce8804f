// What every driver has to get done at a real PostgreSQL, wherever it runs. Plain promises, no runtime's own API.

/**
 * @typedef {object} Settings where the server is, and as whom to come
 * @property {string} host
 * @property {number} port
 * @property {string} user
 * @property {string} password
 * @property {string} database
 * @property {string | null} ca who vouches for the server, PEM; empty where the platform knows; null for no TLS
 *
 * @typedef {object} Session
 * @property {(text: string, values?: any[]) => Promise<any[]>} query the rows
 * @property {() => Promise<void>} close
 */

const LARGE = 3_000_000;

/**
 * @param {string | null} ca
 * @returns {false | {ca?: string}} what drivers call `ssl`
 */
export function secure(ca) {
  if (ca === null) return false;
  return ca === "" ? {} : { ca };
}

/**
 * @param {Session} session
 * @returns {Promise<object>} what the test compares
 */
export async function work({ query, close }) {
  // The example with which the interface was proposed in 2021.
  const users = await query("SELECT * FROM users WHERE uuid = 1");
  const [{ encrypted }] = await query("SELECT ssl AS encrypted FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  const [{ sum }] = await query("SELECT sum(n)::int AS sum FROM unnest($1::int[]) AS n", [[1, 2, 3]]);
  const [{ text }] = await query("SELECT $1::text AS text", ["ab".repeat(LARGE / 2)]);
  const rows = await query("SELECT n, repeat('x', 1000) AS filling FROM generate_series(1, 5000) AS n");
  const failure = await query("SELECT nonsense").then(
    () => null,
    (error) => error.code,
  );
  const together = await Promise.all([1, 2, 3].map((n) => query("SELECT $1::int + 1 AS next", [n])));
  await close();
  return {
    users: users.map((user) => ({ ...user })),
    encrypted,
    sum,
    text: text.length === LARGE && text.startsWith("abab") && text.endsWith("ab"),
    rows: rows.length,
    filling: rows.every(({ filling }) => filling.length === 1000),
    failure,
    together: together.map(([{ next }]) => next),
  };
}
