/**
 * A promise and the means to settle it.
 * @template T
 */
export class Deferred {
  /** @type {(value: T) => void} */
  resolve = () => {};

  /** @type {(reason: unknown) => void} */
  reject = () => {};

  constructor() {
    /** @type {Promise<T>} */
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Sets [[PromiseIsHandled]], so that a rejection that nobody looks at is not reported. */
  markAsHandled() {
    this.promise.then(undefined, () => {});
    return this;
  }
}
