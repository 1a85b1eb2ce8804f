/** Lets everything run that is due: what follows is a task of its own. */
export function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits some milliseconds. */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until a condition holds; says whether it does after at most so many milliseconds. */
export async function until(condition, limit) {
  const end = performance.now() + limit;
  while (!condition()) {
    if (performance.now() > end) return false;
    await pause(1);
  }
  return true;
}
