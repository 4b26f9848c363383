"""The limits of one model in one replica: concurrency, requests and tokens per minute, backoff, and prefetch.

Pure in-process state: it reads the quota that `quota` grants and writes nothing.
"""
