"""Write an event as a CloudEvent 1.0 in the structured JSON mode."""

from __future__ import annotations

import json

from libra.store.continuous.webhooks import Event

CONTENT_TYPE = "application/cloudevents+json"
SOURCE = "/libra"


def to_json(event: Event) -> str:
    """Return the body of each delivery of an event."""
    fields = {
        "specversion": "1.0",
        "id": event.id,
        "source": SOURCE,
        "type": event.type,
        "subject": event.subject,
        "time": event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": event.data,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
