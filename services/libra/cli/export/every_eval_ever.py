"""Writes results in the schema of Every Eval Ever 0.3: one JSON file for each model, and one with its verdicts.

Schemas: eval.schema.json and instance_level_eval.schema.json of the project Every Eval Ever (EvalEval, MIT licence).
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from libra.cli.export.exported_run import ExportedRun
from libra.cli.export.verdict_rows import SCORED, prompt_text
from libra.core.attack_names import task_label
from libra.core.errors import Invalid
from libra.core.outcome_names import outcome_name
from libra.core.response_names import response_name
from libra.v1.model_pb2 import Model, Provider
from libra.v1.ranking_pb2 import BoardRow, Estimate, TaskScore
from libra.v1.verdict_pb2 import Verdict

SCHEMA_VERSION = "0.3.0"
COLLECTION = "libra"
PASS_SCORE = 0.5
UNKNOWN = "unknown"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluator:
    """The organization that made the evaluation, and its relation to the models."""

    organization: str
    relationship: str = "third_party"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of one model, relative to the folder of the export."""

    document: Path
    samples: Path


def model_files(exported: ExportedRun, model: str) -> ModelFiles:
    """Return the files of a model; the same run and model always have the same names."""
    developer, name = _model_id(exported, model).split("/", 1)
    # The schema wants the form of a random UUID; a hash keeps the name the same.
    digest = hashlib.sha256(f"{exported.run.id}/{model}".encode()).digest()
    file = str(uuid.UUID(bytes=digest[:16], version=4))
    folder = Path("data", COLLECTION, developer, name.replace("/", "_"))
    return ModelFiles(folder / f"{file}.json", folder / f"{file}_samples.jsonl")


async def write_model(
    exported: ExportedRun, row: BoardRow, verdicts: AsyncIterator[Verdict], folder: Path, evaluator: Evaluator
) -> int:
    """Write both files of a model; return the number of verdicts with a score, the only ones that the schema can hold.

    Raises Invalid if the run has not ended.
    """
    if not exported.run.HasField("end_time"):
        raise Invalid(f"the run {exported.run.id} has not ended; export it when it has", field="RUN")
    files = model_files(exported, row.model)
    (folder / files.samples).parent.mkdir(parents=True, exist_ok=True)
    digest, count = hashlib.sha256(), 0
    with (folder / files.samples).open("wb") as file:
        async for verdict in verdicts:
            if verdict.outcome in SCORED:
                line = (
                    json.dumps(sample_document(exported, verdict), ensure_ascii=False).encode(errors="replace") + b"\n"
                )
                digest.update(line)
                file.write(line)
                count += 1
    document = evaluation_document(exported, row, evaluator)
    document["detailed_evaluation_results"] = {
        "format": "jsonl",
        "file_path": files.samples.as_posix(),
        "hash_algorithm": "sha256",
        "checksum": digest.hexdigest(),
        "total_rows": count,
    }
    (folder / files.document).write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return count


def evaluation_document(exported: ExportedRun, row: BoardRow, evaluator: Evaluator) -> Document:
    """Return the document of one model: each task, each category, Safety, Capability and Overall."""
    run = exported.run
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": _evaluation_id(exported, row.model),
        "evaluation_timestamp": run.create_time.ToJsonString(),
        "retrieved_timestamp": str(run.end_time.seconds),
        "source_metadata": {
            "source_name": f"Libra run {run.id}",
            "source_type": "evaluation_run",
            "source_organization_name": evaluator.organization,
            "evaluator_relationship": evaluator.relationship,
        },
        "eval_library": {"name": "libra", "version": version("libra")},
        "model_info": _model_info(exported, row.model),
        "evaluation_results": [*_summary_results(row, exported), *_task_results(row, exported)],
    }


def sample_document(exported: ExportedRun, verdict: Verdict) -> Document:
    """Return the document of one verdict with a score."""
    turns = [{"role": turn.role, "content": turn.content} for turn in verdict.messages]
    answer = verdict.completion.text
    is_single = sum(turn["role"] == "user" for turn in turns) <= 1
    prompt = turns[-1]["content"] if len(turns) == 1 else prompt_text(verdict)
    reference = [value for name, value in sorted(verdict.fields.items()) if name in ("answer", "answers", "target")]
    transcript = [*turns, {"role": "assistant", "content": answer}]
    usage = verdict.completion.usage
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": _evaluation_id(exported, verdict.model),
        "model_id": _model_id(exported, verdict.model),
        "evaluation_name": task_label(verdict.task.partition("@")[0], verdict.attack),
        "evaluation_result_id": _result_id(verdict.task, verdict.attack),
        "sample_id": f"{verdict.sample}/{verdict.epoch}",
        "sample_hash": hashlib.sha256((prompt + "".join(reference)).encode(errors="replace")).hexdigest(),
        "interaction_type": "single_turn" if is_single else "multi_turn",
        "input": {"raw": prompt, "reference": reference},
        "output": {"raw": [answer]} if is_single else None,
        "messages": None if is_single else [{"turn_idx": index, **turn} for index, turn in enumerate(transcript)],
        "answer_attribution": [
            {
                "turn_idx": 0 if is_single else len(turns),
                "source": "output.raw" if is_single else "messages[turn_idx].content",
                "extracted_value": verdict.label,
                "extraction_method": f"{verdict.judge.name} {verdict.judge.version}",
                "is_terminal": True,
            }
        ],
        "evaluation": {"score": verdict.score, "is_correct": verdict.score >= PASS_SCORE},
        "token_usage": None
        if verdict.completion.usage_unknown
        else {
            "input_tokens": usage.prompt_tokens,
            "output_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        },
        "performance": {"latency_ms": 1000 * verdict.completion.latency_seconds},
        "error": None,
        "metadata": _sample_metadata(verdict),
    }


def _sample_metadata(verdict: Verdict) -> dict[str, str]:
    response = verdict.completion.response.response_class
    return {
        "task": verdict.task,
        "attack": verdict.attack,
        "outcome": outcome_name(verdict.outcome),
        "response": response_name(response) if response else UNKNOWN,
        "rationale": verdict.rationale,
    }


def _summary_results(row: BoardRow, exported: ExportedRun) -> Iterator[Document]:
    source = {"dataset_name": "Libra", "source_type": "other"}
    for name in ("overall", "safety", "capability"):
        if row.HasField(name):
            yield _result(f"libra/{name}", name, getattr(row, name), source, f"{name} of the run {exported.run.id}")


def _task_results(row: BoardRow, exported: ExportedRun) -> Iterator[Document]:
    for task in (task for category in row.categories for task in category.tasks if task.HasField("score")):
        key = f"{task.task}@{task.version}"
        described = exported.tasks[key].metric if key in exported.tasks else ""
        result = _result(
            _result_id(key, task.attack),
            task_label(task.task, task.attack),
            task.score,
            _source_data(exported, task),
            described,
        )
        result["score_details"]["details"] = {
            name: str(getattr(task.counts, name)) for name in ("scored", "filtered", "unjudged", "failed")
        } | {f"gold label {each.label}": f"{each.value:g} of {each.n}" for each in task.gold_labels}
        if task.gold_labels:
            result["metric_config"]["metric_name"] = "mean score, balanced over gold labels"
        result["metric_config"]["additional_details"] = {"judge": f"{task.judge.name} {task.judge.version}"}
        result["generation_config"] = {"generation_args": _generation_args(exported)}
        yield result


def _result(result_id: str, name: str, score: Estimate, source: Document, description: str) -> Document:
    uncertainty: Document = {"num_samples": score.n}
    if score.HasField("standard_error"):
        uncertainty["standard_error"] = {"value": score.standard_error, "method": "analytic, clustered by sample"}
    if score.HasField("low"):
        uncertainty["confidence_interval"] = {"lower": score.low, "upper": score.high, "confidence_level": 0.95}
    return {
        "evaluation_result_id": result_id,
        "evaluation_name": name,
        "source_data": source,
        "metric_config": {
            "evaluation_description": description,
            "metric_name": "mean score",
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0,
            "max_score": 1,
        },
        "score_details": {"score": score.value, "uncertainty": uncertainty},
    }


def _source_data(exported: ExportedRun, task: TaskScore) -> Document:
    details = {"version": task.version, "attack": task.attack}
    entry = exported.catalogue.get(task.task)
    if entry is not None and entry.dataset:
        return {
            "dataset_name": task.task,
            "source_type": "hf_dataset",
            "hf_repo": entry.dataset,
            "hf_split": entry.split.rpartition("/")[2],
            "additional_details": details,
        }
    return {"dataset_name": task.task, "source_type": "other", "additional_details": details}


def _generation_args(exported: ExportedRun) -> Document:
    parameters = exported.run.spec.parameters
    arguments: Document = {"max_tokens": parameters.max_tokens or 512}
    for name in ("temperature", "top_p"):
        if parameters.HasField(name):
            arguments[name] = getattr(parameters, name)
    return arguments


def _model_info(exported: ExportedRun, model: str) -> Document:
    found = exported.models.get(model, Model())
    is_local = found.base_url.startswith(("http://127.", "http://localhost", "http://[::1]"))
    deployment = "self_deployed" if is_local else "externally_managed" if found.base_url else UNKNOWN
    return {
        "name": model,
        "id": _model_id(exported, model),
        "inference_platform": Provider.Name(found.provider).removeprefix("PROVIDER_").lower(),
        "additional_details": {"deployment_type": deployment, "model_availability": UNKNOWN},
    }


def _model_id(exported: ExportedRun, model: str) -> str:
    """Return "developer/model": the endpoint's name if it has that form, else "unknown/" and Libra's name."""
    remote = exported.models[model].remote_model if model in exported.models else ""
    return remote if remote.count("/") == 1 and all(remote.split("/")) else f"{UNKNOWN}/{model}"


def _evaluation_id(exported: ExportedRun, model: str) -> str:
    return f"{COLLECTION}/{_model_id(exported, model)}/{exported.run.id}"


def _result_id(task: str, attack: str) -> str:
    return f"{task}/{attack}"
