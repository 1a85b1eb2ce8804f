"""The conformance suite of Common Socket: generates tests from the specification and runs them against any target."""
