"""The other end of the UDP benchmarks: blocking sockets and no threads.

It prints the ports that it is bound to as a line of JSON, and ends when its standard input does.
The first byte of a datagram says what it is for:

``e``    it comes back as it is
``mN``   N datagrams like the last one that was for nothing come back; the client asks for no more than it can take
else     it is for nothing
"""

from __future__ import annotations

import json
import select
import socket
import sys

PORTS = 16
"""What floods one port is in nobody's way at the others."""


def main() -> None:
    """Answer until nobody needs it any more."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(PORTS)]
    for own in sockets:
        own.bind(("127.0.0.1", 0))
    print(json.dumps([own.getsockname()[1] for own in sockets]), flush=True)
    last = bytes(512)
    while True:
        ready, _, _ = select.select([*sockets, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        for own in ready:
            data, source = own.recvfrom(65536)
            if data[:1] == b"e":
                own.sendto(data, source)
            elif data[:1] == b"m":
                for _ in range(int(data[1:])):
                    own.sendto(last, source)
            else:
                last = data


if __name__ == "__main__":
    main()
