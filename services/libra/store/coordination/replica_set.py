"""Makes a single mongod the only member of a replica set: without a replica set, MongoDB has no transactions."""

from __future__ import annotations

from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from libra.store.error_translation import ErrorTranslator

NAME = "libra"

TIMEOUT_MILLISECONDS = 2_000
NOT_YET_INITIALIZED = 94
INVALID_CONFIG = 93
"""The configuration names no member that is this server: the server was started on another port."""


def ensure_primary(host: str, port: int) -> bool:
    """Return whether the mongod on `host`:`port` accepts writes; initiate or reconfigure its replica set if necessary.

    Call it again until it returns True. Raises Unavailable if the server does not answer.
    """
    url = f"mongodb://{host}:{port}/"
    client: MongoClient[dict[str, Any]] = MongoClient(
        url,
        directConnection=True,
        serverSelectionTimeoutMS=TIMEOUT_MILLISECONDS,
        socketTimeoutMS=TIMEOUT_MILLISECONDS,
        timeoutMS=TIMEOUT_MILLISECONDS,
    )
    with client, ErrorTranslator(url)():
        if client.admin.command("hello").get("isWritablePrimary"):
            return True
        _initiate_or_reconfigure(client, f"{host}:{port}")
    return False


def _initiate_or_reconfigure(client: MongoClient[dict[str, Any]], member: str) -> None:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", _config(member, version=1))
        elif error.code == INVALID_CONFIG:
            current = client.admin.command("replSetGetConfig")["config"]
            client.admin.command("replSetReconfig", _config(member, version=current["version"] + 1), force=True)
        else:
            raise


def _config(member: str, *, version: int) -> dict[str, Any]:
    return {"_id": NAME, "version": version, "members": [{"_id": 0, "host": member}]}
