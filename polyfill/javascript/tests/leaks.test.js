import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../../benchmarks/javascript_leaks.js", import.meta.url));

/**
 * @param {string} transport
 * @param {string[]} options
 */
async function run(transport, ...options) {
  // The heap is still settling with so few connections. A socket that is kept is counted, and several KiB.
  const counted = ["--connections", "120", "--most", "3000"];
  const child = spawn(process.execPath, ["--no-warnings", program, "--only", transport, ...counted, ...options]);
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await once(child, "close");
  const [out, err] = await output;
  return { code, out, err };
}

describe("connections that are over leave nothing behind:", () => {
  for (const transport of ["tcp", "tls", "starttls", "udp"]) {
    test(transport, async () => {
      const { code, out, err } = await run(transport);
      assert.equal(err, "");
      assert.equal(code, 0);
      assert.match(out, /120 sockets constructed/);
    });
  }

  test("what is left is noticed", async () => {
    const { code, err } = await run("tcp", "--keep", "20");
    assert.equal(code, 1);
    assert.match(err, /leak: tcp: more sockets than before/);
  });
});
