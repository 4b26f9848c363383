"""What Libra is tested with, shipped so that you can test with it too.

    clock      run a coroutine in virtual time: an hour of waiting takes a moment, and always happens in the same order
    hostile    a queue in memory that loses, repeats and reorders what it is given, as its seed says
    memory     a store in memory, shared by processes, with the real one's transactions and a trouble of its own
    mortal     a process that can be killed between any two of its calls, frozen, and thawed
    provider   an OpenAI-compatible endpoint that answers, refuses, dawdles and breaks as you tell it to

Nothing here is used by a service.
"""
