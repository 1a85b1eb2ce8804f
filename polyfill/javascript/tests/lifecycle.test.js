import assert from "node:assert/strict";
import { test } from "node:test";
import { Lifecycle } from "../src/core/lifecycle.js";

test("events move the state along the table", () => {
  const lifecycle = new Lifecycle("tcp");
  assert.deepEqual([lifecycle.state, lifecycle.terminal], ["connecting", false]);
  for (const [event, state] of [
    ["connected", "open"],
    ["peer-fin", "remote-closed"],
    ["writer-close", "closed"],
  ]) {
    assert.equal(lifecycle.advance(event), state);
    assert.equal(lifecycle.state, state);
  }
  assert.equal(lifecycle.terminal, true);
});

test("an event that the table does not have is a fault of the program", () => {
  const lifecycle = new Lifecycle("tcp");
  assert.throws(() => lifecycle.advance("peer-fin"), /"peer-fin" cannot happen in the state "connecting"/);
  assert.equal(lifecycle.state, "connecting");
});
