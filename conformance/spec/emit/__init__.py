"""The artefacts that are generated from the specification: one module per language, each a pure function of the model."""
