import { turn, until } from "./time.js";
import { Outcome, words } from "./words.js";

const log = [];

/** Writes down and prints what happened by itself. */
export function note(who, what, ...details) {
  log.push({ who, what, details });
  console.log(`    ${[`${who}:`, what, ...details.map((each) => words(each, { numbered: false }))].join(" ")}`);
}

/** Waits until something was noted, after as many of its kind; says what, or that it did not happen in time. */
export async function happened(who, what, { after = 0, limit = 3000 } = {}) {
  const find = () => log.filter((entry) => entry.who === who && entry.what === what)[after];
  await until(find, limit);
  await turn();
  const entry = find();
  return entry === undefined ? new Outcome("did not happen") : new Outcome("happened", ...entry.details);
}

/** Returns everything that was noted so far. */
export function noted() {
  return log.map(({ who, what }) => `${who}: ${what}`);
}

/** Notes events of a target, or without types how a promise settles. */
export function observe(who, subject, ...types) {
  if (types.length === 0) {
    subject.then(
      (value) => note(who, "fulfilled", value),
      (reason) => note(who, "rejected", reason),
    );
  }
  for (const type of types) {
    subject.addEventListener(type, (event) => {
      const members = ["error", "fatal", "socket"].filter((name) => name in event);
      const details = Object.fromEntries(members.map((name) => [name, event[name]]));
      note(who, event.type, ...(members.length > 0 ? [details] : []));
    });
  }
}

/** Notes all events of a socket, and how its promises settle. */
export function watch(who, socket) {
  observe(who, socket, "ready", "end", "error", "close");
  const { ready } = socket;
  observe(`${who}.ready`, ready);
  const { closed } = socket;
  observe(`${who}.closed`, closed);
  const { signal } = socket;
  observe(`${who}.signal`, signal, "abort");
  return { ready, closed, signal };
}

let currentCall = 0;

/** Makes a function that notes its calls. */
export function called(who, body = () => {}) {
  let count = 0;
  return (...args) => {
    note(who, "called", ...args);
    count += 1;
    currentCall = count;
    return body(...args);
  };
}

/** Puts into a name which call of the function around it this is. */
export function numbered(name) {
  return name.replace("{call}", currentCall);
}

/** Notes rejections and errors that nobody handles, where Node would end the program. */
export function noteUnhandled() {
  process.on("unhandledRejection", (reason) => note("unhandled", "reported", reason));
  process.on("uncaughtException", (error) => note("unhandled", "reported", error));
}
