"""The subcommands of `libra`, one module for each; a group of several modules is a package.

A module reads its options, calls the services, and passes the replies to `render`.
"""
