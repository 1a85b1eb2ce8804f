"""Test cases that are computed from the specification: where a sentence of it changes, they change with it."""
