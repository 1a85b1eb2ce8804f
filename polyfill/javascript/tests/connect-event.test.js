import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConnectEvent, SocketListener } from "../src/index.js";
import { accept, catchUncaught, dial, dialInVain, serve } from "./client.js";
import { encode, eventsOf, eventually, rejection, settle, stateOf } from "./peer.js";

/** @typedef {import("node:test").TestContext} TestContext */

/**
 * A listener whose connect events go to one callback.
 * @param {TestContext} t
 * @param {any} callback
 */
async function serveWith(t, callback) {
  const listener = new SocketListener({ local: { address: "127.0.0.1" } });
  listener.addEventListener("connect", callback);
  t.after(() => listener.close());
  await listener.ready;
  return { listener, remote: listener.info.local };
}

describe("a connect event", () => {
  test("fires for each connection, with its socket", async (t) => {
    /** @type {ConnectEvent[]} */
    const events = [];
    const { listener, remote } = await serveWith(t, (/** @type {ConnectEvent} */ event) => events.push(event));
    const clients = [await dial(t, remote), await dial(t, remote)];
    await eventually(() => events.length === 2, "two connect events fire");
    for (const [index, event] of events.entries()) {
      assert.ok(event instanceof ConnectEvent);
      assert.equal(event.type, "connect");
      assert.equal(event.target, listener);
      assert.deepEqual([event.bubbles, event.cancelable], [false, false]);
      assert.equal(event.socket, event.socket);
      assert.equal(event.socket.info.remote?.port, clients[index].socket.localPort);
      assert.equal("respondWith" in event, false);
    }
    for (const { socket } of events) socket.abort();
  });

  test("goes to onconnect, to listener objects, and to listeners that are registered once", async (t) => {
    const { listener, sockets, remote } = await serve(t);
    /** @type {unknown[]} */
    const calls = [];
    listener.onconnect = function (/** @type {Event} */ event) {
      calls.push("handler", this === listener, event.type);
    };
    const object = { handleEvent: (/** @type {Event} */ { type }) => calls.push("object", type) };
    listener.addEventListener("connect", object);
    listener.addEventListener("connect", object);
    listener.addEventListener("connect", () => calls.push("once"), { once: true });
    const gone = () => calls.push("removed");
    listener.addEventListener("connect", gone);
    listener.removeEventListener("connect", gone);
    listener.addEventListener("other", gone);
    assert.throws(() => /** @type {any} */ (listener).addEventListener("connect"), TypeError);
    for (let count = 1; count <= 2; count++) {
      await dial(t, remote);
      await eventually(() => sockets.length === count, "a connect event fires");
    }
    const each = ["handler", true, "connect", "object", "connect"];
    assert.deepEqual(calls, [...each, "once", ...each]);
  });

  test("leaves the socket usable after the dispatch", async (t) => {
    const { connection, socket } = await accept(t);
    await settle();
    await socket.writable.getWriter().write(encode("later"));
    await connection.receives("later");
  });

  test("can be made by scripts, of a socket", async (t) => {
    const { socket } = await accept(t);
    const event = new ConnectEvent("connect", { socket, cancelable: true });
    assert.deepEqual([event.type, event.socket, event.cancelable], ["connect", socket, true]);
    assert.throws(() => new ConnectEvent("connect", /** @type {any} */ ({})), TypeError);
    assert.throws(() => new ConnectEvent("connect", /** @type {any} */ ({ socket: {} })), TypeError);
  });
});

describe("reject()", () => {
  test("aborts the socket with its reason and resets the connection", async (t) => {
    for (const [args, check] of [
      [["no room"], (/** @type {any} */ reason) => reason === "no room"],
      [[null], (/** @type {any} */ reason) => reason === null],
      [[], (/** @type {any} */ reason) => reason.name === "AbortError"],
    ]) {
      const { listener, sockets, remote } = await serve(t);
      let fired;
      listener.addEventListener("connect", (/** @type {any} */ event) => {
        fired = eventsOf(event.socket);
        assert.equal(event.reject(.../** @type {any[]} */ (args)), undefined);
        assert.equal(event.socket.signal.aborted, true);
      });
      await dialInVain(t, remote);
      assert.ok(/** @type {any} */ (check)(await rejection(sockets[0].closed)));
      assert.equal(await stateOf(sockets[0].ready), "fulfilled");
      await eventually(() => fired.length > 0, "close fires");
      assert.deepEqual(fired, ["close"]);
    }
  });

  test("is too late after the dispatch, and changes nothing then", async (t) => {
    /** @type {ConnectEvent[]} */
    const events = [];
    const { remote } = await serveWith(t, (/** @type {ConnectEvent} */ event) => events.push(event));
    const connection = await dial(t, remote);
    await eventually(() => events.length === 1, "a connect event fires");
    const [event] = events;
    assert.throws(() => event.reject("late"), { name: "InvalidStateError" });
    await event.socket.writable.getWriter().write(encode("alive"));
    await connection.receives("alive");
    event.socket.abort();
  });
});

describe("a listener that throws", () => {
  test("has its exception reported, and the socket aborted with it", async (t) => {
    const reported = catchUncaught(t);
    for (const make of [
      (/** @type {any} */ callback) => callback,
      (/** @type {any} */ callback) => ({ handleEvent: callback }),
    ]) {
      const exception = new Error("a fault of the script");
      const { listener, sockets, remote } = await serve(t);
      let fired;
      listener.addEventListener(
        "connect",
        make((/** @type {any} */ { socket }) => {
          fired = eventsOf(socket);
          throw exception;
        }),
      );
      let ran = false;
      listener.addEventListener("connect", () => {
        ran = true;
      });
      const next = listener.values().next();
      await dialInVain(t, remote);
      assert.equal(await rejection(sockets[0].closed), exception);
      assert.equal(sockets[0].signal.reason, exception);
      assert.equal(ran, true, "later listeners run");
      await eventually(() => fired.length > 0, "close fires");
      assert.deepEqual(fired, ["close"]);
      await eventually(() => reported.length > 0, "the exception is reported");
      assert.deepEqual(reported.splice(0), [exception]);
      assert.equal(await stateOf(next), "pending", "whoever iterates does not get it");
      assert.equal(await stateOf(listener.closed), "pending");
    }
  });

  test("may be an event handler", async (t) => {
    const reported = catchUncaught(t);
    const { listener, sockets, remote } = await serve(t);
    listener.onconnect = () => {
      throw "up";
    };
    await dialInVain(t, remote);
    assert.equal(await rejection(sockets[0].closed), "up");
    await eventually(() => reported.length > 0, "the exception is reported");
    assert.deepEqual(reported, ["up"]);
  });

  test("does it for the first of several exceptions, and each is reported", async (t) => {
    const reported = catchUncaught(t);
    const { listener, sockets, remote } = await serve(t);
    for (const exception of ["first", "second"]) {
      listener.addEventListener("connect", () => {
        throw exception;
      });
    }
    await dialInVain(t, remote);
    assert.equal(await rejection(sockets[0].closed), "first");
    await eventually(() => reported.length === 2, "the exceptions are reported");
    assert.deepEqual(reported, ["first", "second"]);
  });

  test("in a class that extends SocketListener keeps its own ways of registering", async (t) => {
    /** @type {string[]} */
    const registered = [];
    class Counting extends SocketListener {
      /** @param {[any, any]} args */
      addEventListener(...args) {
        registered.push(args[0]);
        super.addEventListener(...args);
      }
    }
    const listener = new Counting({ local: { address: "127.0.0.1" } });
    t.after(() => listener.close());
    const connected = new Promise((resolve) => listener.addEventListener("connect", resolve));
    await listener.ready;
    await dial(t, listener.info.local);
    const { socket } = await connected;
    assert.deepEqual(registered, ["connect"]);
    socket.abort();
  });
});

describe("waitUntil()", () => {
  test("takes promises while the event is dispatched or another one is pending", async (t) => {
    /** @type {any} */
    let finish;
    /** @type {ConnectEvent[]} */
    const events = [];
    const { remote } = await serveWith(t, (/** @type {ConnectEvent} */ event) => {
      events.push(event);
      assert.equal(event.waitUntil(new Promise((resolve) => (finish = resolve))), undefined);
    });
    await dial(t, remote);
    await eventually(() => events.length === 1, "a connect event fires");
    const [event] = events;
    event.waitUntil(Promise.resolve());
    finish();
    await settle();
    assert.throws(() => event.waitUntil(Promise.resolve()), { name: "InvalidStateError" });
    event.socket.abort();
  });

  test("is too late after the dispatch", async (t) => {
    /** @type {ConnectEvent[]} */
    const events = [];
    const { remote } = await serveWith(t, (/** @type {ConnectEvent} */ event) => events.push(event));
    await dial(t, remote);
    await eventually(() => events.length === 1, "a connect event fires");
    assert.throws(() => events[0].waitUntil(Promise.resolve()), { name: "InvalidStateError" });
    events[0].socket.abort();
  });

  test("has a rejection reported, which does nothing to the socket", async (t) => {
    const reported = catchUncaught(t);
    const { listener, sockets, remote } = await serve(t);
    listener.addEventListener("connect", (/** @type {any} */ event) => event.waitUntil(Promise.reject("work failed")));
    const connection = await dial(t, remote);
    await eventually(() => reported.length > 0, "the rejection is reported");
    assert.deepEqual(reported, ["work failed"]);
    await sockets[0].writable.getWriter().write(encode("unharmed"));
    await connection.receives("unharmed");
  });
});
