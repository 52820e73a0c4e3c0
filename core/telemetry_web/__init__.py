"""Administration over HTTP: the engine-compatible REST API, and room for the page."""
