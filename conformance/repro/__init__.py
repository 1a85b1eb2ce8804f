"""Prints a test as a stand-alone program: its record, taken apart, becomes a model that an emitter spells."""
