"""The adapters: one for each API, pure, over the shared HTTP client."""
