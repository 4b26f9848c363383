"""Everything that is needed to ask a judge model: the client, and the prompt with its reply.

It reaches models through the gateway only. The judges that use it are in `libra.judge.judges`.
"""
