"""The vocabulary of tests: what a test is, how it is declared and found, and what it works with."""
