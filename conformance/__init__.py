"""The conformance suite of Common Socket: generates tests from the specification and runs them against any target."""

VERSION = "0.1.0"
"""Of the distribution, and with it of the specification; pyproject.toml says the same, and a test keeps them equal."""
