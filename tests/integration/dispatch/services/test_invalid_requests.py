"""Every service of dispatch rejects unknown names and invalid pages."""

from __future__ import annotations

import pytest

from libra.core.errors import Invalid, NotFound
from libra.rpc.client import call
from libra.v1.dead_letter_pb2 import GetDeadLetterRequest, ListDeadLettersRequest, ReplayDeadLetterRequest
from libra.v1.model_pb2 import DeleteModelRequest, GetModelRequest
from libra.v1.run_pb2 import CancelRunRequest, GetRunRequest, ListRunsRequest
from libra.v1.task_pb2 import GetTaskRequest, ListSamplesRequest, ListTasksRequest

from .caller import SECONDS, Dispatch


async def test_an_unknown_name_is_not_found_and_gets_the_nearest_names(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    for method, request, message, field in [
        (dispatch.tasks.GetTask, GetTaskRequest(name="mime"), "there is no task 'mime': did you mean mine", "name"),
        (dispatch.tasks.GetTask, GetTaskRequest(name="mine@0"), "did you mean mine", "name"),
        (dispatch.tasks.ListSamples, ListSamplesRequest(task="min"), "did you mean mine", "task"),
        (dispatch.models.GetModel, GetModelRequest(name="refusor"), "did you mean refuser", "name"),
        (dispatch.models.DeleteModel, DeleteModelRequest(name="refusor"), "did you mean refuser", "name"),
        (dispatch.runs.GetRun, GetRunRequest(id="x"), "there is no run 'x'", "id"),
        (dispatch.runs.CancelRun, CancelRunRequest(id=""), "there is no run ''", "id"),
        (dispatch.dead_letters.GetDeadLetter, GetDeadLetterRequest(id=0), "there is no dead letter 0", "id"),
        (dispatch.dead_letters.ReplayDeadLetter, ReplayDeadLetterRequest(id=-4), "there is no dead letter -4", "id"),
    ]:
        with pytest.raises(NotFound) as caught:
            await call(method, request, SECONDS)
        assert message in caught.value.message
        assert caught.value.field == field


async def test_an_invalid_page_is_rejected(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    token = (await call(dispatch.tasks.ListSamples, ListSamplesRequest(task="mine"), SECONDS)).next_page_token
    for method, request, field in [
        (dispatch.tasks.ListTasks, ListTasksRequest(page_size=-1), "page_size"),
        (dispatch.tasks.ListTasks, ListTasksRequest(page_token=token), "page_token"),
        (dispatch.tasks.ListSamples, ListSamplesRequest(task="mine", page_token="x"), "page_token"),
        (dispatch.runs.ListRuns, ListRunsRequest(page_token=token), "page_token"),
        (dispatch.dead_letters.ListDeadLetters, ListDeadLettersRequest(page_token=token), "page_token"),
        (dispatch.dead_letters.ListDeadLetters, ListDeadLettersRequest(stage="gatway"), "stage"),
    ]:
        with pytest.raises(Invalid) as caught:
            await call(method, request, SECONDS)
        assert caught.value.field == field
