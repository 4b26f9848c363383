"""Check a schedule."""

from __future__ import annotations

from libra.core.errors import Invalid
from libra.dispatch.models.validation import MODEL_NAME
from libra.dispatch.schedules.cron import CronTimes
from libra.dispatch.schedules.template import MODEL, has_placeholder
from libra.v1.schedule_pb2 import MissedPolicy, OverlapPolicy, Schedule

MAX_PATTERN_CHARACTERS = 100
TEMPLATE_MODELS = "schedule.template.models"


def check_schedule(schedule: Schedule) -> CronTimes | None:
    """Return the times of the schedule, None without a cron expression; raise Invalid naming the field at fault.

    Whether a run can be created from the template is checked by the service of runs.
    """
    if not MODEL_NAME.fullmatch(schedule.name):
        raise Invalid(
            f"{schedule.name!r} is not a valid name of a schedule: use 1 to 64 letters, digits, "
            '"_", "-" and ".", and begin with a letter or a digit',
            field="schedule.name",
        )
    if not (schedule.cron or schedule.on_model or schedule.on_trigger):
        raise Invalid(
            "nothing fires the schedule: give a cron expression, a pattern of models, or let it be triggered",
            field="schedule.cron",
        )
    if schedule.zone and not schedule.cron:
        raise Invalid("a time zone needs a cron expression", field="schedule.zone")
    times = CronTimes(schedule.cron, schedule.zone) if schedule.cron else None
    if len(schedule.on_model) > MAX_PATTERN_CHARACTERS:
        raise Invalid(f"it has more than {MAX_PATTERN_CHARACTERS} characters", field="schedule.on_model")
    _check_placeholder(schedule)
    if schedule.overlap not in OverlapPolicy.values():
        raise Invalid(f"there is no policy {schedule.overlap}", field="schedule.overlap")
    if schedule.missed not in MissedPolicy.values():
        raise Invalid(f"there is no policy {schedule.missed}", field="schedule.missed")
    return times


def _check_placeholder(schedule: Schedule) -> None:
    """Raise Invalid if the template has a placeholder that nothing fills, or needs one."""
    is_used = has_placeholder(schedule.template)
    if schedule.cron and is_used:
        raise Invalid(f"{MODEL} is the model of an event; a time of a cron expression has none", field=TEMPLATE_MODELS)
    if schedule.on_model and not is_used:
        raise Invalid(f"name the model {MODEL}, which stands for the model that is registered", field=TEMPLATE_MODELS)
