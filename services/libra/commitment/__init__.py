"""The commitment of a round and its verification, without a server: pure functions of bytes.

A round publishes before its first run: a salted hash of each sample, the root of a Merkle tree over the hashes, the
hash of the seed that its samples are drawn with, and a signature. When it is closed, it publishes the samples, the
salts and the seed. `verification` checks the second against the first.
"""
