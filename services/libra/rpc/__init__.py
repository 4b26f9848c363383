"""The only room that knows grpc.aio's server: calls out, calls in, their errors, health and page tokens.

It reads what comes over the wire. It writes answers, and a status with the field at fault where there is no answer.
"""
