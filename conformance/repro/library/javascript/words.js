import { createHash } from "node:crypto";

/** What came of something: how, and the value that came with it. */
export class Outcome {
  constructor(how, ...values) {
    this.how = how;
    this.values = values;
    /** Of objects only the class is of interest. */
    this.briefly = false;
  }

  get value() {
    return this.values[0];
  }
}

/** Prints a value, and beside it what was seen when this program was recorded. */
export function show(label, value, { seen }) {
  const now = words(value);
  console.log(`${label}: ${now}${seen === now ? "   // seen: the same" : `\n    // seen: ${seen}`}`);
}

/** Puts a value in words; errors are numbered, so that the same object is seen to be the same. */
export function words(value, { numbered = true } = {}) {
  const inside = (part) => words(part, { numbered });
  if (value instanceof Outcome) return [value.how, ...value.values.map(value.briefly ? kindOf : inside)].join(" ");
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "[Function]";
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return `[${value.map(inside).join(", ")}]`;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return bytesInWords(value);
  if (value instanceof Error) return errorInWords(value) + (numbered ? ` (#${numberOf(value)})` : "");
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `[${prototype.constructor.name}]`;
  const members = Object.entries(value).map(([name, member]) => `${name}: ${inside(member)}`);
  return `{${members.join(", ")}}`;
}

function kindOf(value) {
  if (Array.isArray(value)) return `[${value.map(kindOf).join(", ")}]`;
  return typeof value === "object" && value !== null ? `[${value.constructor.name}]` : words(value);
}

function errorInWords(error) {
  const type = error.constructor.name;
  const codes = [error.errorCode, error.systemCode].filter((code) => typeof code === "string");
  const name = type === error.name ? type : `${type} ${error.name}`;
  return `${name}${codes.length > 0 ? ` [${codes.join(", ")}]` : ""}: ${error.message}`;
}

const numbers = new Map();

function numberOf(error) {
  if (!numbers.has(error)) numbers.set(error, numbers.size + 1);
  return numbers.get(error);
}

function bytesInWords(value) {
  const data = Buffer.from(value.buffer ?? value, value.byteOffset ?? 0, value.byteLength);
  const short = data.length <= 16;
  const digest = short ? "" : `… sha256 ${createHash("sha256").update(data).digest("hex").slice(0, 8)}`;
  return `${value.constructor.name}(${data.length}) ${data.toString("hex", 0, short ? 16 : 8)}${digest}`.trimEnd();
}
