"""Tokens, with hashes of their secrets."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from libra.core.errors import Conflict
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import changeable
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.token_pb2 import Token


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token with what its secret is checked against."""

    token: Token
    hash: bytes


class TokenCollection:
    """Stores every token under its id. Tokens are not deleted: the audit log names them.

    A caller of a team sees and revokes the tokens of its team only: one without a team is nothing that teams share.
    """

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection, self._uses = database[indexes.TOKENS], database[indexes.LAST_USES]
        self._translate_errors = translate_errors

    async def insert(self, token: Token, secret_hash: bytes) -> None:
        """Store a token; raise Conflict if its name was used before."""
        document = {"_id": token.id, "hash": secret_hash} | to_document(token)
        with self._translate_errors():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                raise Conflict(
                    f"there is or was a token {token.name!r}; choose another name, so that the audit log stays clear",
                    field="name",
                ) from None

    async def find(self, token_id: str) -> TokenRecord | None:
        """Return a token by its id; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": token_id})
        return TokenRecord(_token(document), bytes(document["hash"])) if document else None

    async def list(self) -> list[Token]:
        """Return all tokens of the caller's team, or all, in order of name."""
        with self._translate_errors():
            used = {document["_id"]: document["time"] async for document in self._uses.find()}
            found = self._collection.find(changeable()).sort("name", ASCENDING)
            tokens = [_token(document) async for document in found]
        for token in tokens:
            if token.id in used:
                token.last_use_time.FromDatetime(used[token.id])
        return tokens

    async def revoke(self, name: str) -> Token | None:
        """Revoke a token and return it, with the time of the first revocation; None if it is unknown."""
        update = [{"$set": {"revoke_time": {"$ifNull": ["$revoke_time", now()]}}}]
        with self._translate_errors():
            document = await self._collection.find_one_and_update(
                {"name": name} | changeable(), update, return_document=ReturnDocument.AFTER
            )
        return _token(document) if document else None

    async def record_use(self, token_id: str, time: datetime) -> None:
        """Set the time of the last use. It is apart from the tokens, which only dispatch needs the right to write."""
        with self._translate_errors(), contextlib.suppress(DuplicateKeyError):  # another replica stores the first use
            await self._uses.update_one({"_id": token_id}, {"$max": {"time": time}}, upsert=True)


def _token(document: Document) -> Token:
    return from_document(Token(), document)
