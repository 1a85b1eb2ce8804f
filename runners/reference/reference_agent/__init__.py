"""The agent of the Python reference: carries out the requests of the agent protocol on the package `commonsocket`."""
