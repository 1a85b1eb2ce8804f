"""The core: what a socket does, without I/O, event loop or clock."""
