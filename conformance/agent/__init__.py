"""The client side of the agent protocol: finds a target, starts its agent, and drives it through remote objects."""
