"""The schema version of each collection, and the migrations that change documents to a newer one.

It reads and writes the collection `schema`, and in migrations any other.
"""
