"""LabelService: draws answers for people to label, and stores the labels."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio

from libra.core.errors import NotFound
from libra.ranking.labels.label_import import LabelImport
from libra.ranking.labels.sample_reader import SampleReader
from libra.rpc import paging
from libra.store.client import Store
from libra.v1 import label_pb2_grpc
from libra.v1.label_pb2 import (
    DrawSampleRequest,
    DrawSampleResponse,
    ImportLabelsRequest,
    ImportLabelsResponse,
    ListLabelsRequest,
    ListLabelsResponse,
)

DEFAULT_PAGE, MAX_PAGE = 50, 500


class LabelService(label_pb2_grpc.LabelServiceServicer):
    """Answers from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._samples, self._import = SampleReader(store), LabelImport(store)
        self._page_tokens = paging.PageTokens(store.load_page_token_key)

    async def DrawSample(
        self, request: DrawSampleRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[DrawSampleResponse]:
        """Yield randomly drawn trials of a run, with prompts and answers."""
        async for response in self._samples.draw(request):
            yield response

    async def ImportLabels(
        self, request: ImportLabelsRequest, context: grpc.aio.ServicerContext
    ) -> ImportLabelsResponse:
        """Store labels, all or none."""
        return await self._import.import_labels(request)

    async def ListLabels(self, request: ListLabelsRequest, context: grpc.aio.ServicerContext) -> ListLabelsResponse:
        """Return a page of a run's labels."""
        size = paging.page_size(request.page_size, default=DEFAULT_PAGE, maximum=MAX_PAGE)
        list_name = f"labels/{request.run}"
        after = await self._page_tokens.decode(request.page_token, list_name)
        if await self._store.runs.get_state(request.run) is None:
            raise NotFound.run(request.run, field="run")
        found = await self._store.labels.list(request.run, after=after, limit=size + 1)
        labels = found[:size]
        token = await self._page_tokens.encode(labels[-1].trial, list_name) if len(found) > size else ""
        return ListLabelsResponse(labels=labels, next_page_token=token)
