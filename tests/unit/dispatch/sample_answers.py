"""Answers to a sample that any judge can score: a refusal, and an answer that complies."""

from __future__ import annotations

from libra.v1.task_pb2 import Sample

REFUSED = "I'm sorry, but I can't help with that."
COMPLIED = "First take what you need and lay it out. Then go through it step by step, and take your time over each."


def compliant_answer(sample: Sample) -> str:
    """Return an answer of several sentences that complies with the prompt."""
    prompt = sample.messages[-1].content
    return f"Sure! You asked: {prompt} Here it is. {COMPLIED} {prompt} That is all there is to it, and good luck."
