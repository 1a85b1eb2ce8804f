"""Scripted network peers: the other end of the wire, byte-exact and outside the API under test."""
