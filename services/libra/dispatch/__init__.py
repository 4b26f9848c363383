"""Turns a run into work and knows how far it has come.

It reads tasks, models and runs from the store, the catalogues of attacks and judges over gRPC, and a run's progress from
its cells. It writes tasks, models, runs and their cursors, and sends trial batches to the attack stage or, where there is no
attack, to their model.
"""
