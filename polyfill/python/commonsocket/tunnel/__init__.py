"""The tunnel: a daemon that carries sockets over WebSockets, for pages that have no others (`docs/tunnel.md`)."""
