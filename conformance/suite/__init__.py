"""Behavioural tests, one module per topic: coroutines that drive the target and script the peer at its other end."""
