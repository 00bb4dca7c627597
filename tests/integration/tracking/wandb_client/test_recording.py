"""What W&B's own client records of runs, read back from its log. Nothing leaves the machine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from relet.core.record import ArtifactLink, Caveat, CodeState, Status, new_run_id
from relet.core.reproduction import Likeness, OutputVerdict, Reproduction, StepVerdict
from relet.errors import SettingError, TrackerError
from relet.reproduction import keep
from relet.store import Store
from relet.tracking import RefusedError
from relet.tracking.outbox import deliver
from relet.tracking.wandb import open_wandb
from relet.tracking.wandb.tracker import WandbMode, WandbTracker
from tests.integration.tracking.wandb_client.records import (
    ENDED,
    artifact,
    component_run,
    mark_uploaded,
    pipeline_run,
    queued,
    sent,
)
from tests.wandb_log import recorded, runs_of

pytest.importorskip("wandb", reason="wandb is not installed")


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000a49444154789c6300010000050001" + "0d0a2db4" + "0000000049454e44ae426082"
)


def test_a_run_is_shown_with_its_project_group_job_type_configuration_and_metrics(
    wandb: WandbTracker, store: Store
) -> None:
    parent = pipeline_run(store)
    found = sent(
        wandb,
        component_run(
            store,
            parent,
            description="Fit the model.",
            parameters={"family": "boosted", "parameters": {"leaves": 31, "rate": 0.1}, "none": None},
            metrics={"mae": 30.5, "share < 10 %": 0.25, "a.b": 1.0},
            key="k" * 64,
            code=CodeState(commit="c" * 40, dirty=True, repository="https://example.com/x.git"),
            command=("relet", "run", "rentals"),
            caveats=(Caveat(kind="network", what="example.com"),),
        ),
        store,
    )
    run, own = found.run, found.config["relet"]
    assert (run.project, run.run_group, run.job_type, run.display_name) == (
        "rentals",
        "prices",
        "train",
        "train_model",
    )
    assert (run.notes, list(run.tags)) == ("Fit the model.", ["finished", "dirty", "caveats"])
    assert (run.git.commit, run.git.remote_url) == ("c" * 40, "https://example.com/x.git")
    assert found.config["family"] == "boosted" and found.config["parameters"] == {"leaves": 31, "rate": 0.1}
    assert found.config["none"] is None
    assert (own["run_id"], own["parent"], own["key"]) == (run.run_id, parent.id, "k" * 64)
    assert (own["command"], own["caveats"], own["seconds"]) == (
        "relet run rentals",
        ["connects to example.com"],
        1.5,
    )
    assert {name: found.summary[name] for name in ("mae", "share < 10 %", "a.b")} == {
        "mae": 30.5,
        "share < 10 %": 0.25,
        "a.b": 1.0,
    }
    assert found.exit_code == 0


def test_the_lock_and_the_diff_are_files_of_the_pipelines_run_alone(wandb: WandbTracker, store: Store) -> None:
    lock, diff = store.put_object(b"numpy==2\n"), store.put_object(b"-a\n+b\n")
    code = CodeState(commit="c" * 40, dirty=True, diff=diff)
    parent = pipeline_run(store, lock=lock, code=code)
    child = sent(wandb, component_run(store, parent, lock=lock, code=code), store)
    outer = recorded(wandb.folder, parent.id)
    assert outer.saved == {"code/requirements.lock.txt", "code/uncommitted.diff.txt"} and not child.saved
    assert (outer.folder / "files/code/requirements.lock.txt").read_bytes() == b"numpy==2\n"
    assert (outer.folder / "files/code/uncommitted.diff.txt").read_bytes() == b"-a\n+b\n"
    assert (child.config["relet"]["lock"], child.config["relet"]["diff"]) == (lock, diff)


@pytest.mark.parametrize("pipeline", ["", "rentals/"], ids=["short", "full"])
def test_an_artifact_has_type_description_metadata_files_and_the_stores_aliases(
    wandb: WandbTracker, store: Store, pipeline: str
) -> None:
    parent = pipeline_run(store)
    version, link = artifact(
        store,
        f"{pipeline}model",
        "model",
        {"MLmodel": b"flavors", "data/trees": b"trees"},
        description="Prices a night.",
        metadata={"rows": 3, "metrics": {"mae": 1.5}},
        producer=parent.id,
    )
    store.set_alias(f"{pipeline}model", "prod", version.number, by="test", why="promoted")
    found = sent(wandb, component_run(store, parent, outputs={"model": link}), store).artifacts["model"]
    assert (found.type, found.description, found.use_after_commit) == ("model", "Prices a night.", False)
    assert set(found.aliases) == {"latest", "prod", "relet-v1"}
    assert (
        '"rows":3' in found.metadata and f'"{pipeline}model:v1"' in found.metadata and parent.id in found.metadata
    )
    assert {each.path: Path(each.local_path).read_bytes() for each in found.manifest.contents} == {
        "MLmodel": b"flavors",
        "data/trees": b"trees",
    }


@pytest.mark.parametrize("pipeline", ["", "rentals/"], ids=["short", "full"])
def test_a_run_that_used_an_artifact_says_so_and_moves_no_alias(
    wandb: WandbTracker, store: Store, pipeline: str
) -> None:
    parent = pipeline_run(store)
    _, taken = artifact(store, f"{pipeline}sample", "table", {"table.parquet": b"a"}, metadata={"rows": 3})
    _, made = artifact(store, f"{pipeline}clean_sample", "table", {"table.parquet": b"b"})
    producer = sent(wandb, component_run(store, parent, outputs={"sample": taken}), store)
    found = sent(wandb, component_run(store, parent, inputs={"raw": taken}, outputs={"clean_sample": made}), store)
    assert found.artifacts["sample"].use_after_commit and not found.artifacts["clean_sample"].use_after_commit
    assert list(found.artifacts["sample"].aliases) == ["relet-v1"]
    # W&B knows the version again by its digest.
    assert found.artifacts["sample"].digest == producer.artifacts["sample"].digest
    assert found.config["relet"]["used"] == {
        "raw": {"version": f"{pipeline}sample:v1", "type": "table", "content": taken.content}
    }
    assert found.config["relet"]["made"]["clean_sample"]["content"] == made.content


def test_what_another_pipeline_made_has_its_name_before_it_in_wandb(wandb: WandbTracker, store: Store) -> None:
    parent = pipeline_run(store)
    _, own = artifact(store, "rentals/sample", "table", {"table.parquet": b"a"})
    _, others = artifact(store, "sales/sample", "table", {"table.parquet": b"b"})
    found = sent(wandb, component_run(store, parent, inputs={"sample": others, "before": own}), store)
    assert set(found.artifacts) == {"sample", "sales.sample"}


def test_figures_and_pages_are_shown_as_they_are_and_pixels_as_images(wandb: WandbTracker, store: Store) -> None:
    pytest.importorskip("PIL", reason="pillow is not installed, without which W&B takes no images")
    outputs = {
        "importance": artifact(store, "importance", "figure", {"figure.svg": b"<svg>bars</svg>"})[1],
        "exploration": artifact(store, "exploration", "folder", {"page.html": b"<p>seen", "map.png": PIXEL})[1],
        "scores": artifact(store, "scores", "metrics", {"metrics.json": b"{}"})[1],
    }
    found = sent(wandb, component_run(store, pipeline_run(store), outputs=outputs), store)
    kinds = {
        key: shown["_type"] for key, shown in found.summary.items() if isinstance(shown, dict) and "_type" in shown
    }
    assert kinds == {"importance": "html-file", "exploration/page": "html-file", "exploration/map": "image-file"}
    shown = {key: (found.folder / "files" / found.summary[key]["path"]).read_bytes() for key in kinds}
    assert shown == {
        "importance": b"<svg>bars</svg>",
        "exploration/page": b"<p>seen",
        "exploration/map": PIXEL,
    }
    assert {found.summary[key]["path"] for key in kinds} <= found.saved


@pytest.mark.parametrize(
    ("status", "code"),
    [("finished", 0), ("skipped", 0), ("running", 0), ("failed", 1), ("stopped", 1), ("interrupted", 130)],
)
def test_a_run_ends_in_wandb_as_it_ended(wandb: WandbTracker, store: Store, status: str, code: int) -> None:
    found = sent(wandb, pipeline_run(store, status=Status(status), message="why"), store)
    assert (found.exit_code, list(found.run.tags)) == (code, [status])
    assert found.config["relet"]["message"] == "why"


def test_a_skipped_run_made_and_used_nothing(wandb: WandbTracker, store: Store) -> None:
    _, link = artifact(store, "sample", "table", {"table.parquet": b"a"})
    record = component_run(
        store, pipeline_run(store), status=Status.SKIPPED, inputs={"a": link}, outputs={"b": link}
    )
    assert sent(wandb, record, store).artifacts == {}


def test_what_was_pruned_or_is_damaged_is_named_and_left_out(
    wandb: WandbTracker, store: Store, tmp_path: Path
) -> None:
    gone = ArtifactLink(version="model:v9", type="model", content="e" * 64)
    broken, link = artifact(store, "sample", "table", {"table.parquet": b"a", "figure.svg": b"<svg/>"})
    for digest in broken.files.values():
        (tmp_path / "store" / "objects" / digest[:2] / digest).write_bytes(b"else")
    found = sent(wandb, component_run(store, pipeline_run(store), outputs={"model": gone, "sample": link}), store)
    assert found.artifacts == {} and "figure" not in str(found.summary)
    assert found.config["relet"]["made"]["model"]["version"] == "model:v9"


def test_the_verdict_on_a_run_that_was_made_again_is_a_tag(wandb: WandbTracker, store: Store) -> None:
    record = pipeline_run(store)
    assert list(sent(wandb, record, store).run.tags) == ["finished"]
    output = OutputVerdict(
        name="m", recorded="m:v1", recorded_content="c", reproduced_content="c", likeness=Likeness.IDENTICAL
    )
    found = Reproduction(
        target=record.id,
        run=record.id,
        likeness=Likeness.IDENTICAL,
        reason="…",
        when=ENDED,
        steps=(StepVerdict(component="train_model", run=record.id, outputs=(output,)),),
    )
    keep(found, store, ["wandb"])
    again = sent(wandb, record, store)
    assert list(again.run.tags) == ["finished", "reproduction IDENTICAL"]
    assert again.config["relet"]["reproduction"] == f"IDENTICAL on {ENDED[:10]} (reproduction:v1)"


def test_an_alias_that_moves_later_is_recorded_and_latest_stays_where_it_is(
    wandb: WandbTracker, store: Store
) -> None:
    parent = pipeline_run(store)
    old, new = (pipeline_run(store, id=new_run_id(), component="train_model", parent=parent.id) for _ in "ab")
    for record, content in ((old, b"1"), (new, b"2")):
        _, link = artifact(store, "model", "model", {"trees": content}, producer=record.id)
        queued(store, replace(record, outputs={"model": link}))
    deliver(store, wandb)
    assert set(recorded(wandb.folder, new.id).artifacts["model"].aliases) == {"latest", "relet-v2"}
    before = runs_of(wandb.folder, new.id)
    store.set_alias("model", "prod", 1, by="test", why="promoted")
    assert deliver(store, wandb).failed is None
    assert set(recorded(wandb.folder, old.id).artifacts["model"].aliases) == {"prod", "relet-v1"}
    assert runs_of(wandb.folder, new.id) == before
    # There and back again: the last word counts, also where it was said before.
    for number in (2, 1):
        store.set_alias("model", "prod", number, by="test", why="promoted")
        moved = runs_of(wandb.folder, (old, new)[number - 1].id)
        deliver(store, wandb)
        assert runs_of(wandb.folder, (old, new)[number - 1].id) != moved
    still = runs_of(wandb.folder, old.id)
    deliver(store, wandb)
    assert runs_of(wandb.folder, old.id) == still


def test_a_run_that_ended_replaces_what_was_recorded_while_it_ran(wandb: WandbTracker, store: Store) -> None:
    running = pipeline_run(store, status=Status.RUNNING, ended=None)
    (first,) = [sent(wandb, running, store).folder]
    ended = queued(store, replace(running, status=Status.FINISHED, ended=ENDED, metrics={"mae": 1.0}))
    found = sent(wandb, ended, store)
    assert runs_of(wandb.folder, running.id) == [found.folder] != [first]
    assert found.summary["mae"] == 1.0


def test_what_a_process_left_behind_that_died_is_replaced(wandb: WandbTracker, store: Store) -> None:
    record = pipeline_run(store)
    first = sent(wandb, record, store).folder
    (wandb.folder / "relet" / "runs" / f"{record.id}.json").unlink()  # ... as it would be before it was written
    found = sent(wandb, record, store)
    assert runs_of(wandb.folder, record.id) == [found.folder] and found.folder != first
    assert not first.exists()


def test_what_is_uploaded_already_is_kept_when_the_run_is_recorded_again(
    wandb: WandbTracker, store: Store
) -> None:
    record = pipeline_run(store)
    first = sent(wandb, record, store).folder
    mark_uploaded(first)
    sent(wandb, record, store)
    assert runs_of(wandb.folder, record.id) == [first]
    sent(wandb, queued(store, replace(record, message="more")), store)
    assert len(runs_of(wandb.folder, record.id)) == 2 and first.exists()


def test_git_does_not_see_what_is_recorded(wandb: WandbTracker, store: Store, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    sent(wandb, pipeline_run(store), store)
    listed = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain", "wandb"], capture_output=True, text=True, check=True
    )
    assert listed.stdout == ""
    (wandb.folder / ".gitignore").write_text("# theirs\n")
    sent(wandb, pipeline_run(store), store)
    assert (wandb.folder / ".gitignore").read_text() == "# theirs\n"


def test_wandbs_own_settings_say_where_runs_lie_and_what_the_project_is_called(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_wandb(tmp_path).folder == tmp_path / "wandb"
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("WANDB_PROJECT", "prices")
    monkeypatch.setenv("WANDB_MODE", "offline")
    there = open_wandb(tmp_path)
    assert sent(there, pipeline_run(store), store).run.project == "prices"
    assert there.folder == tmp_path / "elsewhere" / "wandb" and not (tmp_path / "wandb").exists()


def test_a_disabled_wandb_records_nothing_and_nothing_waits(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    record = pipeline_run(store)
    assert deliver(store, open_wandb(tmp_path)).sent == (record.id,)
    assert not (tmp_path / "wandb").exists()
    monkeypatch.setenv("WANDB_MODE", "offlin")
    with pytest.raises(SettingError, match="did you mean offline"):
        open_wandb(tmp_path)


def test_a_run_that_wandb_refuses_does_not_keep_the_others_back(wandb: WandbTracker, store: Store) -> None:
    wrong, right = pipeline_run(store, pipeline="x" * 200), pipeline_run(store)
    report = deliver(store, wandb)
    assert (report.sent, report.waiting) == ((right.id,), 1)
    with pytest.raises(RefusedError, match="128 characters"):
        wandb.send(wrong, store)


def test_a_folder_that_can_not_be_written_keeps_the_record_in_the_outbox(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    pipeline_run(store)
    report = deliver(store, WandbTracker(tmp_path / "file" / "wandb", mode=WandbMode.OFFLINE))
    assert report.waiting == 1 and "WANDB_DIR" in (report.failed or "")


def test_without_the_extra_the_delivery_says_what_to_install(
    wandb: WandbTracker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    pipeline_run(store)
    report = deliver(store, wandb)
    assert report.waiting == 1 and "pip install 'relet[wandb]'" in (report.failed or "")
    with pytest.raises(TrackerError, match=r"pip install 'relet\[wandb\]'"):
        wandb.connect()
