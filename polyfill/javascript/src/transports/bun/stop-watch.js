/**
 * Looking at things again and again that nobody tells of. One timer does for all of them, and runs only while there is
 * something to look at.
 */

/** How often, in ms. */
const period = 20;

/** @type {Set<() => boolean>} */
const watched = new Set();

/** @type {ReturnType<typeof setInterval> | null} */
let timer = null;

/** @param {() => boolean} look says whether to look again */
export function watch(look) {
  watched.add(look);
  if (timer) return;
  timer = setInterval(() => {
    for (const each of watched) if (!each()) watched.delete(each);
    if (watched.size > 0 || !timer) return;
    clearInterval(timer);
    timer = null;
  }, period);
  timer.unref();
}
