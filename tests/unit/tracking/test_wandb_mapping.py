"""What W&B shows of a record, and in which order runs are uploaded, without W&B."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relet.core.artifact import ArtifactType, Version
from relet.core.record import ArtifactLink, RunRecord, Status
from relet.tracking.wandb import mapping
from relet.tracking.wandb.ledger import LedgerEntry, in_order

RECORD = RunRecord(
    id="20260101T000000000000-abcd1234",
    pipeline="rentals",
    experiment="prices",
    status=Status.FINISHED,
    started="2026-01-01T00:00:00.000+00:00",
    ended="2026-01-01T00:00:01.500+00:00",
)
# How many keys a value has, and whether they lie in a list.
SIZES = st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=12)


def version(**changes: Any) -> Version:
    whole = {"name": "model", "number": 3, "type": ArtifactType.MODEL, "content": "c" * 64}
    return Version(**{**whole, "files": {"a": "f" * 64}, **changes})


def keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(keys, value.values()))
    return sum(map(keys, value)) if isinstance(value, list) else 0


@given(SIZES, st.integers(0, 120))
def test_metadata_has_no_more_keys_than_wandb_takes_and_says_which_version(
    sizes: list[tuple[int, bool]], plain: int
) -> None:
    nested = [dict.fromkeys(map(str, range(size)), 0) for size, _ in sizes]
    values = {f"n{i}": [each] if sizes[i][1] else each for i, each in enumerate(nested)}
    found = mapping.metadata(version(metadata=values | dict.fromkeys(map(str, range(plain)), 0)))
    assert keys(found) <= 100
    assert found["relet"] == {"version": "model:v3", "content": "c" * 64}


def test_what_looks_equal_in_wandb_has_one_digest_and_a_moved_alias_another() -> None:
    record = RunRecord(
        **{**RECORD.__dict__, "outputs": {"model": ArtifactLink(version="model:v3", type="model", content="c")}}
    )
    versions = {"model:v3": version()}

    def digest(*aliases: str) -> str:
        return mapping.wandb_view(record, versions, aliases={"model:v3": aliases}).digest

    assert digest("latest") == digest("latest") != digest("latest", "prod")


def test_the_configuration_holds_the_parameters_as_they_are_beside_what_relet_knows() -> None:
    parameters = {"train": {"seed": 1, "depth": None}}
    config = mapping.wandb_view(RunRecord(**{**RECORD.__dict__, "parameters": parameters}), {}, aliases={}).config
    assert config["train"] == {"seed": 1, "depth": None}
    assert (config["relet"]["run_id"], config["relet"]["seconds"]) == (RECORD.id, 1.5)
    assert "parent" not in config["relet"]


def test_a_pipelines_run_has_a_job_type_and_a_name_too() -> None:
    shown = mapping.wandb_view(RECORD, {}, aliases={})
    assert (shown.name, shown.job_type, shown.group, shown.project) == (
        "rentals abcd1234",
        "pipeline",
        "prices",
        "rentals",
    )


CONTENTS = st.lists(st.sampled_from("abcdef"), max_size=3, unique=True).map(tuple)


@given(st.lists(st.tuples(CONTENTS, CONTENTS), max_size=8))
def test_every_run_is_uploaded_once_and_after_those_that_made_what_it_uses(
    links: list[tuple[tuple[str, ...], tuple[str, ...]]],
) -> None:
    entries = [
        LedgerEntry(run_id=str(number), folder="", sent="", made=made, used=used)
        for number, (made, used) in enumerate(links)
    ]
    groups = in_order(entries)
    assert sorted(each.run_id for group in groups for each in group) == sorted(each.run_id for each in entries)
    # A pipeline has no cycle: made from what came before, each run comes after all that made what it uses.
    chain = [
        LedgerEntry(run_id=e.run_id, folder="", sent="", made=(e.run_id,), used=_before(e.run_id)) for e in entries
    ]
    assert [[each.run_id for each in group] for group in in_order(reversed(chain))] == [[e.run_id] for e in chain]


def _before(run_id: str) -> tuple[str, ...]:
    return (str(int(run_id) - 1),) if run_id != "0" else ()


def test_a_sweep_and_its_trials_are_in_the_experiments_group_and_say_what_they_are() -> None:
    trial = RunRecord(**{**RECORD.__dict__, "parent": "s", "trial": 3, "overrides": ("a.depth=4",)})
    sweep = RunRecord(**{**RECORD.__dict__, "job_type": "sweep", "winner": "w"})
    one, all_of_them = (mapping.wandb_view(record, {}, aliases={}) for record in (trial, sweep))
    assert one.group == all_of_them.group == RECORD.experiment
    assert (one.name, all_of_them.job_type) == ("3 a.depth=4", "sweep")
    assert all_of_them.name.startswith("sweep of ")
    own = one.config["relet"]
    assert (own["kind"], own["trial"], own["overrides"], own["parent"]) == ("pipeline", 3, ["a.depth=4"], "s")
    assert all_of_them.config["relet"]["winner"] == "w"
