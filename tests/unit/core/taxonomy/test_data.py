"""Every card, risk, label and attack has a tag of the pinned releases, or a reason why it has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from libra.attack.catalogue import registry
from libra.core.taxonomy.releases import TAXONOMY_NAMES, load_data, load_taxonomies
from libra.core.taxonomy.tags import UNMAPPED, Tags, known_tasks, tags_of_attack, tags_of_task
from libra.dispatch.catalogue.index import load_cards
from libra.dispatch.tasks import builtin
from libra.judge.judges.guards.hazards import DATA

ROOT = Path(__file__).parents[4]
SAMPLE_FOLDERS = (ROOT / "tests" / "data" / "tasks", ROOT.parent.parent / "shared" / "data" / "tasks")


def builtin_tasks() -> list[str]:
    return [task.name for task, _ in builtin.load()]


def is_settled(tags: Tags) -> bool:
    return bool(tags.ids) or tags.reason != UNMAPPED


@pytest.mark.parametrize("taxonomy", TAXONOMY_NAMES)
def test_every_card_is_tagged_or_has_a_reason(taxonomy: str) -> None:
    names = [*load_cards(), *builtin_tasks()]
    assert [name for name in names if name not in known_tasks()] == []
    for name in names:
        tags = tags_of_task(taxonomy, name, "", ())
        assert tags.labels or is_settled(tags.common), name


def test_no_task_is_tagged_that_does_not_exist() -> None:
    assert known_tasks() == {*load_cards(), *builtin_tasks()}


def test_every_risk_of_a_card_is_tagged_or_has_a_reason() -> None:
    risks = {source.card.risk for source in load_cards().values()} | {task.risk for task, _ in builtin.load()}
    for risk in risks - {""}:
        for taxonomy in TAXONOMY_NAMES:
            assert is_settled(tags_of_task(taxonomy, "a-task-of-a-user", risk, ()).common), risk


@pytest.mark.parametrize("taxonomy", TAXONOMY_NAMES)
def test_every_attack_is_tagged_or_has_a_reason(taxonomy: str) -> None:
    assert [name for name in registry.ATTACKS if not is_settled(tags_of_attack(taxonomy, name))] == []


def test_each_attack_is_in_one_group_and_exists() -> None:
    listed = [name for group in load_data("attacks.yaml")["groups"] for name in group["attacks"]]
    assert sorted(listed) == sorted(registry.ATTACKS)


@pytest.mark.parametrize("name", ["tasks.yaml", "labels.yaml", "attacks.yaml"])
def test_every_tag_is_in_the_pinned_release_and_every_reason_is_used(name: str) -> None:
    entries = {entry for taxonomy in load_taxonomies().values() for entry in taxonomy.entries}
    reasons = load_data("attacks.yaml" if name == "attacks.yaml" else "tasks.yaml")["reasons"]
    data = {key: value for key, value in load_data(name).items() if key != "reasons"}
    if name == "labels.yaml":
        leaves = [leaf for labels in data.values() for leaf in labels.values()]
    elif name == "attacks.yaml":
        leaves = [group[taxonomy] for group in data["groups"] for taxonomy in TAXONOMY_NAMES]
    else:
        values = [entry[taxonomy] for part in data.values() for entry in part.values() for taxonomy in TAXONOMY_NAMES]
        leaves = [value.get("tags", []) if isinstance(value, dict) else value for value in values]
    assert leaves
    for leaf in leaves:
        assert leaf in reasons if isinstance(leaf, str) else set(leaf) <= entries, leaf


def test_tags_of_a_task_are_of_their_own_taxonomy() -> None:
    for name in known_tasks():
        for taxonomy, release in load_taxonomies().items():
            assert set(tags_of_task(taxonomy, name, "", ()).all_ids()) <= set(release.entries), name


def test_the_releases_have_their_published_sizes() -> None:
    sizes = {name: len(taxonomy.entries) for name, taxonomy in load_taxonomies().items()}
    assert sizes == {"ailuminate": 12, "owasp": 10, "atlas": 170}
    assert [taxonomy.release for taxonomy in load_taxonomies().values()] == ["1.0", "2025", "5.6.0"]
    assert load_taxonomies()["atlas"].entries["AML.T0054"] == "LLM Jailbreak"
    assert load_taxonomies()["owasp"].entries["LLM07"] == "System Prompt Leakage"


def test_guard_judges_use_the_hazards_of_the_release() -> None:
    used = {hazard for categories in DATA["categories"].values() for each in categories.values() for hazard in each}
    assert used <= set(load_taxonomies()["ailuminate"].entries)


def test_every_sample_of_a_built_in_task_is_tagged_or_has_a_reason() -> None:
    for task, samples in builtin.load():
        for taxonomy in TAXONOMY_NAMES:
            tags = tags_of_task(taxonomy, task.name, task.risk, task.tags)
            assert all(is_settled(tags.of_sample(sample.id)) for sample in samples), (task.name, taxonomy)


def test_sample_labels_of_a_built_in_task_are_of_its_samples() -> None:
    ids = {sample.id for _, samples in builtin.load() for sample in samples}
    for name, labels in load_data("labels.yaml").items():
        if name in builtin_tasks():
            assert set(labels) <= ids


@pytest.mark.parametrize("folder", SAMPLE_FOLDERS, ids=["tests", "shared"])
def test_every_label_in_the_published_samples_is_tagged_or_has_a_reason(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("the published samples are not beside the repository")
    checked = 0
    for path in sorted(folder.glob("*.jsonl")):
        for taxonomy in TAXONOMY_NAMES:
            tags = tags_of_task(taxonomy, path.stem, "", ())
            for record in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
                label = next((record[field] for field in tags.fields if record.get(field)), None)
                if label is not None and tags.labels:
                    checked += 1
                    assert is_settled(tags.of_sample(str(label))), (path.name, label)
    assert checked > 0


def test_the_data_files_have_no_duplicate_keys() -> None:
    folder = ROOT / "services" / "libra" / "core" / "taxonomy" / "data"
    for path in folder.glob("*.yaml"):
        for node in walk(yaml.compose(path.read_text(encoding="utf-8"))):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), path.name


def walk(node: yaml.Node | None) -> list[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        return [node, *(found for _, value in node.value for found in walk(value))]
    return []
