/**
 * Abort algorithms for signals that belong to the user. https://dom.spec.whatwg.org/#abortsignal-add
 *
 * The standard's algorithms are not listeners. Here one listener per signal runs all of them, so that a signal that
 * many sockets share does not make a platform warn of a listener leak.
 */

/** @type {WeakMap<AbortSignal, {algorithms: Set<() => void>, listener: () => void}>} */
const followed = new WeakMap();

/**
 * @param {AbortSignal} signal not aborted yet
 * @param {() => void} algorithm
 */
export function follow(signal, algorithm) {
  let entry = followed.get(signal);
  if (!entry) {
    const algorithms = new Set();
    const listener = () => {
      followed.delete(signal);
      for (const each of algorithms) each();
    };
    entry = { algorithms, listener };
    followed.set(signal, entry);
    signal.addEventListener("abort", listener, { once: true });
  }
  entry.algorithms.add(algorithm);
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} algorithm
 */
export function unfollow(signal, algorithm) {
  const entry = followed.get(signal);
  if (!entry?.algorithms.delete(algorithm) || entry.algorithms.size > 0) return;
  followed.delete(signal);
  signal.removeEventListener("abort", entry.listener);
}
