/** The objects of a QUIC connection without a connection: what is written to a stream comes back from it. */

class QuicStream {
  constructor() {
    const { readable, writable } = new TransformStream();
    Object.assign(this, { readable, writable });
  }
}

class QuicSession {
  datagrams = new QuicStream();
  incomingBidirectionalStreams = new ReadableStream({ start: (controller) => controller.enqueue(new QuicStream()) });
  incomingUnidirectionalStreams = new ReadableStream();

  async createBidirectionalStream() {
    return new QuicStream();
  }

  async createUnidirectionalStream() {
    return new QuicStream().writable;
  }
}

export class Socket extends EventTarget {
  static supportedTypes = ["quic"];
  quic = new QuicSession();
  signal = new AbortController().signal;
  ready = Promise.resolve();
  closed = new Promise(() => {});
}
