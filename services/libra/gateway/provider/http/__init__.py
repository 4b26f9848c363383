"""HTTP: connections, time and size limits."""
