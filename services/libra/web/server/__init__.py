"""The HTTP server: the application with its middleware, and the listener."""
