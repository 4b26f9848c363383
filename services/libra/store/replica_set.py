"""Make a lone mongod the one member of a replica set: without one, MongoDB has no transactions."""

from __future__ import annotations

from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from libra.store.error_translation import ErrorTranslator

NAME = "libra"

ANSWER_MILLISECONDS = 2_000
NOT_YET_INITIALIZED = 94
INVALID_CONFIG = 93
"""The configuration names no member that is this server: it was started on another port."""


def ensure_primary(host: str, port: int) -> bool:
    """Return whether the mongod on `host`:`port` takes writes; have it form its set if it has none, or an outdated one.

    Call it again until it says True. Unavailable if the server does not answer.
    """
    url = f"mongodb://{host}:{port}/"
    client: MongoClient[dict[str, Any]] = MongoClient(
        url,
        directConnection=True,
        serverSelectionTimeoutMS=ANSWER_MILLISECONDS,
        socketTimeoutMS=ANSWER_MILLISECONDS,
        timeoutMS=ANSWER_MILLISECONDS,
    )
    with client, ErrorTranslator(url)():
        if client.admin.command("hello").get("isWritablePrimary"):
            return True
        _form(client, f"{host}:{port}")
    return False


def _form(client: MongoClient[dict[str, Any]], member: str) -> None:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", _config(member, version=1))
        elif error.code == INVALID_CONFIG:
            kept = client.admin.command("replSetGetConfig")["config"]
            client.admin.command("replSetReconfig", _config(member, version=kept["version"] + 1), force=True)
        else:
            raise


def _config(member: str, *, version: int) -> dict[str, Any]:
    return {"_id": NAME, "version": version, "members": [{"_id": 0, "host": member}]}
