"""Show a round without its secrets."""

from __future__ import annotations

from libra.store.rounds.rounds import RoundRecord
from libra.v1.round_pb2 import Round, RoundState, RoundTask


def build_round_view(record: RoundRecord, sealed: int) -> Round:
    """Return a round with the number of its samples that are not published."""
    view = Round(
        name=record.name,
        state=RoundState.ValueType(record.state),
        tasks=[
            RoundTask(name=task.task, source=task.source, samples=task.samples, anchors=task.anchors)
            for task in record.tasks
        ],
        follows=record.follows,
        samples=record.samples,
        anchors=sum(task.anchors for task in record.tasks),
        sealed=sealed,
        merkle_root=record.merkle_root,
        public_key=record.public_key,
        canary=record.canary,
    )
    view.open_time.FromDatetime(record.open_time)
    if record.close_time:
        view.close_time.FromDatetime(record.close_time)
    return view
