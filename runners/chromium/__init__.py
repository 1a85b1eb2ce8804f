"""Runs the agent in pages of a Chromium: ordinary ones, and Isolated Web Apps."""
