"""The pages: boards, models, rounds and the arena in a browser, rendered on the server.

This process has no store and no state of its own. It reads everything over gRPC from the other services.
"""
