"""The Python reference of Common Socket: the executable meaning of the specification."""
