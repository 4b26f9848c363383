"""Make the users of NATS and MongoDB, one for each service, with the rights that it needs and no others.

python3 -m deploy.users create deploy/secrets
    Write passwords, the users of nats-server and the URLs of each service to a folder. Passwords that are there stay.

python3 -m deploy.users kubernetes deploy/secrets --namespace libra | kubectl apply --filename -
    Print the folder as Secrets of a cluster.

python3 -m deploy.users mongodb deploy/secrets --url 'mongodb://ADMIN:PASSWORD@mongo.example/?replicaSet=libra&tls=true'
    Create the roles and users in MongoDB, or change them to those of this release. It needs pymongo.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from deploy.users import files, mongodb
from deploy.users.permissions import ADMIN

RETRY_SECONDS = 1.0
TIMEOUT_MILLISECONDS = 5_000
LOCAL_URL = "mongodb://127.0.0.1:27017/?directConnection=true"


def main() -> None:
    """Run the command line."""
    arguments = _parse()
    if arguments.command == "create":
        files.create(arguments.folder, arguments.nats, arguments.mongo, arguments.database)
    elif arguments.command == "kubernetes":
        sys.stdout.write(files.kubernetes_secrets(arguments.folder, arguments.namespace))
    else:
        _apply(arguments)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m deploy.users", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    create, kubernetes, mongo = (commands.add_parser(name) for name in ("create", "kubernetes", "mongodb"))
    for command in (create, kubernetes, mongo):
        command.add_argument("folder", type=Path)
    create.add_argument("--nats", default="nats://nats:4222", help="URL of NATS, without a user")
    create.add_argument(
        "--mongo", default="mongodb://mongo:27017/?replicaSet=libra", help="URL of MongoDB, without a user"
    )
    kubernetes.add_argument("--namespace", default="libra")
    mongo.add_argument("--url", default="", help="URL of an administrator; without it, the mongod of this machine")
    mongo.add_argument("--member", default="", help="initiate the replica set of a new mongod with this host:port")
    mongo.add_argument("--stay", type=Path, metavar="FILE", help="then create FILE, and wait for SIGTERM")
    for command in (create, mongo):
        command.add_argument("--database", default="libra", help="LIBRA_MONGO_DATABASE")
    return parser.parse_args()


def _apply(arguments: argparse.Namespace) -> None:
    from pymongo import MongoClient  # noqa: PLC0415 - the other commands need no package
    from pymongo.errors import ConnectionFailure  # noqa: PLC0415

    passwords = files.read_passwords(arguments.folder)
    if not arguments.url:
        while True:
            try:
                with MongoClient(LOCAL_URL, serverSelectionTimeoutMS=TIMEOUT_MILLISECONDS) as client:
                    if mongodb.create_first_user(client, passwords, arguments.member):
                        break
            except ConnectionFailure as error:
                sys.stderr.write(f"mongod does not answer yet: {error}\n")
            time.sleep(RETRY_SECONDS)
    url = arguments.url or files.with_user(LOCAL_URL, ADMIN, passwords[ADMIN])
    with MongoClient(url, serverSelectionTimeoutMS=TIMEOUT_MILLISECONDS) as client:
        mongodb.apply(client[arguments.database], passwords)
    sys.stderr.write(f"the users of the database {arguments.database} are current\n")
    if arguments.stay:
        arguments.stay.touch()
        stop = {signal.SIGTERM, signal.SIGINT}
        # The first process of a container receives only signals that it handles or blocks.
        signal.pthread_sigmask(signal.SIG_BLOCK, stop)
        signal.sigwait(stop)


if __name__ == "__main__":
    main()
