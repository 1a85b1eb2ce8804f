import { settled } from "./promises.js";
import { Outcome } from "./words.js";

/** Reads chunks until there are so many bytes, or until the end where no size is given. */
export async function readBytes(reader, { size = Number.POSITIVE_INFINITY, view } = {}) {
  const chunks = [];
  let count = 0;
  while (count < size) {
    const outcome = await settled(view === undefined ? reader.read() : reader.read(view()));
    if (outcome.how !== "fulfilled with") return new Outcome(`${count} bytes, then ${outcome.how}`, ...outcome.values);
    if (outcome.value.done) break;
    chunks.push(outcome.value.value);
    count += outcome.value.value.length;
  }
  const bytes = Uint8Array.from(Buffer.concat(chunks));
  if (size === Number.POSITIVE_INFINITY) return new Outcome("the end, after", bytes);
  return count < size ? new Outcome("an early end, after", bytes) : bytes;
}
