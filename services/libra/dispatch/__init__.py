"""Creates runs, expands them into trials and sends the trials through the pipeline until each has a verdict.

It reads tasks, models, runs and verdict counts from the store, and the catalogues of attacks and judges over gRPC.
It writes tasks, models, runs and cursors to the store, and publishes batches of trials to the other stages.
"""
