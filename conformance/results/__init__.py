"""Results: their model, the JSON-lines store, expectations and summaries."""
