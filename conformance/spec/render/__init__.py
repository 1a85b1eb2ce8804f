"""The readable specification: one HTML page made of the data, so that nobody writes it twice."""

from conformance.spec.render.page import RenderError, html, write

__all__ = ["RenderError", "html", "write"]
