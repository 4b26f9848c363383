"""Health check of mongod: create its replica set if there is none; exit 0 once this member is the primary."""

from __future__ import annotations

import sys

from pymongo import MongoClient
from pymongo.errors import OperationFailure

NOT_INITIATED = 94
TIMEOUT_MILLISECONDS = 10_000


def main() -> int:
    """Return the exit status."""
    client: MongoClient[dict[str, object]] = MongoClient(
        "mongodb://127.0.0.1:27017/?directConnection=true", serverSelectionTimeoutMS=TIMEOUT_MILLISECONDS
    )
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_INITIATED:
            raise
        members = [{"_id": 0, "host": "mongo:27017"}]
        client.admin.command("replSetInitiate", {"_id": "libra", "members": members})
    return 0 if client.admin.command("hello")["isWritablePrimary"] else 1


if __name__ == "__main__":
    sys.exit(main())
