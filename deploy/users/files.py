"""The folder with the passwords of all users, in the forms in which servers and services read them."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path
from urllib.parse import quote, urlsplit

from deploy.users import nats
from deploy.users.permissions import ADMIN, BACKUP, NATS

USERS = (ADMIN, BACKUP, *NATS)
PASSWORDS = "mongodb.json"
NATS_USERS = "nats.conf"
PRIVATE, IN_A_CONTAINER = 0o600, 0o644
"""A server reads its file in a container, under an id of its own. The folder is closed to other users."""


def create(folder: Path, nats_url: str, mongo_url: str, database: str) -> None:
    """Write the files; users that the folder has already keep their passwords."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    known = read_passwords(folder) if (folder / PASSWORDS).exists() else {}
    passwords = {user: known.get(user) or secrets.token_urlsafe(32) for user in USERS}
    _write(folder / PASSWORDS, json.dumps(passwords, indent=2) + "\n", IN_A_CONTAINER)
    _write(folder / NATS_USERS, nats.render(passwords), IN_A_CONTAINER)
    for user, password in passwords.items():
        lines = variables(user, password, nats_url, mongo_url, database)
        _write(folder / f"{user}.env", "".join(f"{name}={value}\n" for name, value in lines.items()), PRIVATE)


def read_passwords(folder: Path) -> dict[str, str]:
    """Return the password of each user."""
    found: dict[str, str] = json.loads((folder / PASSWORDS).read_text())
    return found


def variables(user: str, password: str, nats_url: str, mongo_url: str, database: str) -> dict[str, str]:
    """Return the settings with which a service uses both servers; a backup uses MongoDB alone."""
    mongo = with_user(mongo_url, user, password)
    joined = "&" if urlsplit(mongo).query else "?" if mongo.rpartition("/")[2] == "" else "/?"
    source = "admin" if user == ADMIN else database
    found = {"LIBRA_MONGO_URL": f"{mongo}{joined}authSource={source}"}
    if user != BACKUP:
        urls = [with_user(one.strip(), user, password) for one in nats_url.split(",")]
        found["LIBRA_NATS_URL"] = ",".join(urls)
    return found


def with_user(url: str, user: str, password: str) -> str:
    """Return the URL with a user and a password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"


def kubernetes_secrets(folder: Path, namespace: str) -> str:
    """Return a list of Secrets: one for each service, and those of servers that run in the cluster."""
    contents = {f"libra-{path.stem}": read_variables(path) for path in sorted(folder.glob("*.env"))}
    contents["libra-nats-users"] = {NATS_USERS: (folder / NATS_USERS).read_text()}
    contents["libra-mongodb-users"] = {PASSWORDS: (folder / PASSWORDS).read_text()}
    items = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in content.items()},
        }
        for name, content in contents.items()
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2)


def read_variables(path: Path) -> dict[str, str]:
    """Return the variables of a file with one NAME=value in each line."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _write(path: Path, text: str, mode: int) -> None:
    """Replace a file by a rename; nobody else can read it before it has its mode."""
    partial = path.with_name(path.name + ".part")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w") as file:
        file.write(text)
    partial.chmod(mode)
    partial.rename(path)
