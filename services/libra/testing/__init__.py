"""Fakes and tools that Libra is tested with, shipped so that you can use them in your own tests. No service uses them.

virtual_time        runs a coroutine in virtual time: an hour of waiting takes a moment, always in the same order
hostile_bus         an in-memory queue that loses, repeats and reorders messages, repeatably by its seed
memory              an in-memory store that processes share, with transactions and injected faults
killable_process    a simulated process that can be killed between any two of its calls, suspended and resumed
scripted_provider   an OpenAI-compatible endpoint that replies, refuses, delays and fails as its script says
"""
