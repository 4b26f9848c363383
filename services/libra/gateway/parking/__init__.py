"""Parking: a model that cannot be asked gets no requests but a probe from time to time, until it answers again.

policy            how soon a model is parked, probed and given up, as data
park_state        the state machine of one model; pure
gate              holds the requests to a parked model, and sends probes
shared_park       one entry for all replicas, so that together they send one probe at a time
activity          errors, answers and requests in flight of one model
health_reporter   writes what this replica knows of its models, and reads what the others parked
"""
