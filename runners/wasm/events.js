/** Event and EventTarget of the package event-target-shim, with the target that it forgets. */

import { Event as ShimEvent, EventTarget as ShimTarget } from "event-target-shim";

/** @type {WeakMap<object, EventTarget>} */
const targets = new WeakMap();

export class Event extends ShimEvent {
  /**
   * "clearTargets" is for shadow trees: elsewhere the target stays. https://dom.spec.whatwg.org/#concept-event-dispatch
   *
   * @returns {any}
   */
  get target() {
    return super.target ?? targets.get(this) ?? null;
  }
}

export class EventTarget extends ShimTarget {
  /** @param {Event} event */
  dispatchEvent(event) {
    // Beginning a second dispatch inside the first one throws, and changes nothing.
    const earlier = targets.get(event);
    targets.set(event, this);
    try {
      return super.dispatchEvent(event);
    } catch (error) {
      if (earlier) targets.set(event, earlier);
      throw error;
    }
  }
}
