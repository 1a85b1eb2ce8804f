import { pause, turn } from "./time.js";
import { Outcome, show, words } from "./words.js";

/** Says how a promise has settled, or that it is still pending after so many milliseconds. */
export async function settled(promise, { limit = 3000 } = {}) {
  const outcome = await Promise.race([
    promise.then(
      (value) => new Outcome("fulfilled with", value),
      (reason) => new Outcome("rejected with", reason),
    ),
    pause(limit).then(() => new Outcome("pending")),
  ]);
  await turn();
  return outcome;
}

/** Says how a promise stands now. */
export async function state(promise) {
  await turn();
  return settled(promise, { limit: 0 });
}

/** Marks a promise as handled, for one that is looked at later or never. */
export function handled(promise) {
  promise.then(
    () => {},
    () => {},
  );
  return promise;
}

/** Says what a call returned or threw. */
export function attempt(call) {
  try {
    return new Outcome("returned", call());
  } catch (error) {
    return new Outcome("threw", error);
  }
}

/** Asks until the answer is what was seen, for at most three seconds, and shows the last answer. */
export async function eventually(label, ask, { seen }) {
  const plain = (text) => text.replace(/ \(#\d+\)/g, "");
  const end = performance.now() + 3000;
  let answer = await ask();
  while (plain(words(answer, { numbered: false })) !== plain(seen) && performance.now() < end) {
    await pause(3);
    answer = await ask();
  }
  show(label, answer, { seen });
}
