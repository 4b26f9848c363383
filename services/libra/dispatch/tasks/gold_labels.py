"""Check the gold labels of a task whose score is balanced over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from libra.core.errors import Invalid
from libra.core.gold_labels import MAX_LABEL_CHARACTERS, MAX_LABELS
from libra.dispatch.tasks.json_records import excerpt
from libra.dispatch.tasks.sample_records import DATA_FIELD
from libra.v1.task_pb2 import Sample


class GoldLabels:
    """The labels of the samples that passed.

    `name` is the field that the card's `balanced_by` names; empty if the score is not balanced.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._labels: set[str] = set()

    def check(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yield the samples; raise Invalid for one without a label, with a long one, or with one too many."""
        for sample in samples:
            if self._name:
                self._add(sample)
            yield sample

    def warnings(self, task: str) -> list[str]:
        """Return what is to be known about the labels, after all samples have passed."""
        if len(self._labels) != 1:
            return []
        return [f"every sample of {task} has the same {self._name}: its balanced score is the plain mean"]

    def _add(self, sample: Sample) -> None:
        label = sample.fields.get(self._name, "")
        if not label:
            raise Invalid(
                f"the sample {excerpt(sample.id)} has no field {self._name!r}, over which the card balances the score",
                field=DATA_FIELD,
            )
        if len(label) > MAX_LABEL_CHARACTERS:
            raise Invalid(
                f"{self._name} of the sample {excerpt(sample.id)} has {len(label)} characters; a label to balance "
                f"over has at most {MAX_LABEL_CHARACTERS}",
                field=DATA_FIELD,
            )
        self._labels.add(label)
        if len(self._labels) > MAX_LABELS:
            raise Invalid(
                f"{self._name} has more than {MAX_LABELS} values: the card's balanced_by must name the gold label",
                field=DATA_FIELD,
            )
