"""A WebAssembly host for JavaScript guests: QuickJS in wasmtime, on the network of the reference."""
