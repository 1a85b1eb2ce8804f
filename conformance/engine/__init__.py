"""Runs a plan of tests against a target: concurrently, with limits, and so that a hang or crash costs only itself."""
