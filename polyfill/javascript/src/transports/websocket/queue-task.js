/** @type {(() => void)[]} */
const tasks = [];

/** @returns {() => void} what has the platform run the first task soon, once for each call */
function scheduler() {
  const run = () => tasks.shift()?.();
  const { setImmediate, MessageChannel } = /** @type {any} */ (globalThis);
  if (setImmediate) return () => setImmediate(run);
  // A timer would wait: "if nesting level is greater than 5, and timeout is less than 4, then set timeout to 4".
  // https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html#timer-initialisation-steps
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = run;
  return () => port2.postMessage(null);
}

const schedule = scheduler();

/**
 * Queues a task; first in, first out.
 * @param {() => void} task
 */
export function queueTask(task) {
  tasks.push(task);
  schedule();
}
