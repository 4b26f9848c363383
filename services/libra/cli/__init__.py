"""The `libra` command line.

It reads arguments, files and `state.json`, calls the services over gRPC only, and prints tables for people or JSON for
scripts. `exit_codes` defines how a command ends.
"""

import os

# The core of gRPC would write to the terminal that a server has gone; the commands report that themselves. gRPC reads the variable
# when it is imported, so this line comes before all modules of the package.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # noqa: TID251 - not a setting of Libra
