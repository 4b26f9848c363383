"""The gRPC client and server of every process: deadlines, retries, error mapping, health, page tokens.

It reads requests from the network and writes replies, or a status that names the field at fault.
"""
