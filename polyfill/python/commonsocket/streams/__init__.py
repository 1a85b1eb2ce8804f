"""Readable and writable streams (Streams Standard): what the Socket API needs of them.

One interface a file, with the standard's names in snake_case; the algorithms of a file are those of the section of
the same name. `tee()`, `from()`, transform streams and `autoAllocateChunkSize` are left out.
"""
