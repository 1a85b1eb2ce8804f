"""The artefacts that are generated from the specification: pure functions of the model, a module per concern."""
