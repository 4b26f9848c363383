"""The roles and users of MongoDB, as commands of the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deploy.users.permissions import ADMIN, APPENDS, BACKUP, EVERY_SERVICE, MONGO, PROVISIONER

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.database import Database

READ = ("find",)
APPEND = (*READ, "insert", "update")
WRITE = (*APPEND, "remove")
CREATE = ("createCollection", "createIndex", "listCollections", "listIndexes")
NOT_FOUND_CODES = frozenset({11, 31})
"""The error codes UserNotFound and RoleNotFound."""

NOT_YET_INITIALIZED = 94
ACCESS_DENIED = 13
REPLICA_SET = "libra"


def privileges(service: str, database: str) -> list[dict[str, Any]]:
    """Return what a service may do, in the form of the command `createRole`."""
    access = MONGO[service]
    actions: dict[str, tuple[str, ...]] = dict.fromkeys(f"{EVERY_SERVICE.reads} {access.reads}".split(), READ)
    actions |= {APPENDS: APPEND} | dict.fromkeys(f"{EVERY_SERVICE.writes} {access.writes}".split(), WRITE)
    granted = [_privilege(database, name, allowed) for name, allowed in sorted(actions.items())]
    if access.creates_indexes:
        granted.append(_privilege(database, "", CREATE))
    if service == PROVISIONER:
        granted.append(_privilege(database, "", ("dbStats",)))
    return granted


def apply(database: Database[Any], passwords: Mapping[str, str]) -> None:
    """Create the roles and users of a database, or change those that exist. Other users stay as they are."""
    for service in MONGO:
        role = {"privileges": privileges(service, database.name), "roles": []}
        _create_or_update(database, "Role", service, role)
        _create_or_update(database, "User", service, {"pwd": passwords[service], "roles": [service]})
    _create_or_update(database, "User", BACKUP, {"pwd": passwords[BACKUP], "roles": ["read"]})


def create_first_user(client: MongoClient[Any], passwords: Mapping[str, str], member: str) -> bool:
    """Initiate the replica set of a new mongod with `member` and create its administrator; return whether it is ready.

    It must be called on mongod's own machine, which mongod trusts until there is a user. Call it until it is True.
    """
    from pymongo.errors import OperationFailure  # noqa: PLC0415 - only this command needs the driver

    hello = client.admin.command("hello")
    if "setName" not in hello:
        members = [{"_id": 0, "host": member}]
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    if not hello["isWritablePrimary"]:
        return False
    try:
        client.admin.command("createUser", ADMIN, pwd=passwords[ADMIN], roles=["root"])
    except OperationFailure as error:
        if error.code != ACCESS_DENIED:  # there is a user already
            raise
    return True


def _privilege(database: str, collection: str, actions: tuple[str, ...]) -> dict[str, Any]:
    return {"resource": {"db": database, "collection": collection}, "actions": list(actions)}


def _create_or_update(database: Database[Any], kind: str, name: str, fields: Mapping[str, Any]) -> None:
    from pymongo.errors import OperationFailure  # noqa: PLC0415

    try:
        database.command(f"update{kind}", name, **fields)
    except OperationFailure as error:
        if error.code not in NOT_FOUND_CODES:
            raise
        database.command(f"create{kind}", name, **fields)
