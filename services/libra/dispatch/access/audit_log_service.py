"""AuditLogService: list the entries of the audit log."""

from __future__ import annotations

import grpc.aio

from libra.core.access import team_scope
from libra.core.errors import Invalid
from libra.rpc import paging
from libra.store.access.audit_log import AuditLogCollection
from libra.v1 import audit_log_pb2_grpc
from libra.v1.audit_log_pb2 import ListAuditEntriesRequest, ListAuditEntriesResponse


class AuditLogService(audit_log_pb2_grpc.AuditLogServiceServicer):
    """Serves the audit log."""

    def __init__(self, audit_log: AuditLogCollection, page_tokens: paging.PageTokens) -> None:
        self._audit_log, self._page_tokens = audit_log, page_tokens

    async def ListAuditEntries(
        self, request: ListAuditEntriesRequest, context: grpc.aio.ServicerContext
    ) -> ListAuditEntriesResponse:
        """Return a page of entries, the oldest first."""
        size = paging.page_size(request.page_size, default=50, maximum=500)
        if request.after_seq < 0:
            raise Invalid(f"{request.after_seq} is negative", field="after_seq")
        scope = f"audit/{request.after_seq}"
        after = int(await self._page_tokens.decode(request.page_token, scope) or request.after_seq)
        # Read before the entries: entries that are appended in between are not missing.
        is_partial = team_scope.current() is not None
        head_seq = 0 if is_partial else await self._audit_log.head_seq()
        entries = await self._audit_log.list(after_seq=after, limit=size + 1)
        token = await self._page_tokens.encode(str(entries[size - 1].seq), scope) if len(entries) > size else ""
        return ListAuditEntriesResponse(
            entries=entries[:size], next_page_token=token, head_seq=head_seq, is_partial=is_partial
        )
