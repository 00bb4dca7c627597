"""Runs made again: records that somebody wrote."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from relet.project.job import RunOutcome
from relet.reproduction import keep
from relet.store import open_store
from relet.store.reproductions import latest_of_runs, latest_on
from tests.command import relet
from tests.integration.reproduction.tampering import AGAIN, collected, does_again, edit_record, lies_again
from tests.sums_project import Sums, likenesses, step

SHA = "0" * 40


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": {"folder": "../.."}}, "the folder '../..'"),
        ({"code": {"folder": "/etc"}}, "the folder '/etc'"),
        ({"code": {"untracked": {"../evil.py": "OBJECT"}}}, "the file '../evil.py'"),
        ({"code": {"untracked": {"/tmp/evil.py": "OBJECT"}}}, "the file '/tmp/evil.py'"),
        ({"code": {"untracked": {".git/config": "OBJECT"}}}, "the file '.git/config'"),
        ({"code": {"untracked": {"out/evil.py": "OBJECT"}}}, "out/evil.py, which leads out of the project"),
        ({"code": {"untracked": {"x.py": "../../x"}}}, "its file x.py can't be read"),
        ({"code": {"untracked": ["x.py"]}}, "its untracked files can't be read"),
        ({"code": {"commit": "--upload-pack=touch EVIL"}}, "the commit '--upload-pack=touch EVIL'"),
        ({"code": {"commit": SHA, "repository": "--upload-pack=touch EVIL"}}, "git is not asked for"),
        ({"code": {"commit": SHA, "repository": "ext::sh -c touch% EVIL"}}, "git is not asked for"),
        ({"code": {"tree": "../../x"}}, "its code tree can't be read"),
        ({"code": {"tree": "OBJECT"}}, "can't be read as a code tree"),
        ({"undeclared": {"../evil.py": "OBJECT"}}, "the file '../evil.py'"),
        ({"undeclared": {"x.py": "../../x"}}, "its file x.py can't be read"),
        ({"code": {"commit": SHA, "repository": "ssh://-oProxyCommand=touch EVIL/x"}}, "git is not asked for"),
        ({"code": {"commit": SHA, "repository": "/"}}, "git is not asked for"),
        ({"pipeline": "../../elsewhere"}, "the pipeline or the step '../../elsewhere'"),
        ({"pipeline": "nowhere"}, "there is no pipeline 'nowhere'"),
        ({"machine": {"environment": {"OMP_NUM_THREADS": 3}}}, "the environment {'OMP_NUM_THREADS': 3}"),
    ],
)
@pytest.mark.sampled
def test_a_hostile_record_is_refused_and_nothing_is_executed(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, change: dict[str, Any], said: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (sums.root / "out").symlink_to(outside, target_is_directory=True)
    evil = outside / "evil"
    sums.edit(
        "helper.py", "    return", f"    import os\n    if {AGAIN}:\n        open({str(evil)!r}, 'w')\n    return"
    )
    sums.commit()
    outcome = sums.run()
    text = json.dumps(change).replace("EVIL", str(evil))
    text = text.replace("OBJECT", sums.store.put_object(b"import nothing\n"))

    def rewrite(record: dict[str, Any]) -> None:
        for name, value in json.loads(text).items():
            record[name] = {**record[name], **value} if isinstance(value, dict) else value
        if "tree" not in change.get("code", {}):
            record["code"]["tree"] = None  # as in a record of an older relet, whose code git is asked for

    found = sums.again(edit_record(sums, outcome.run_id, rewrite))
    assert found.likeness == "IMPOSSIBLE"
    assert said.replace("EVIL", str(evil)) in found.reason
    assert list(outside.iterdir()) == []


def test_a_step_of_a_hostile_name_is_refused(sums: Sums) -> None:
    outcome = sums.run()
    edit_record(sums, sums.record(outcome, "add").id, lambda record: record.update(component="../../add"))
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert "names the pipeline or the step '../../add'" in found.reason


def test_of_the_recorded_variables_only_those_that_relet_records_are_set(sums: Sums) -> None:
    outcome = does_again(sums, "assert 'LD_AUDIT' not in os.environ")
    edit_record(
        sums, outcome.run_id, lambda record: record["machine"].update(environment={"LD_AUDIT": "/nowhere.so"})
    )
    assert step(sums.again(outcome), "add").error == ""


def test_code_without_pipelines_does_not_let_a_folder_above_stand_in(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outcome = sums.run()
    kept = tmp_path_factory.mktemp("above") / "again"
    shutil.copytree(sums.root / "pipelines", kept.parent / "pipelines")
    sums.git("rm", "-qr", "pipelines")
    (sums.root / "readme").touch()
    run_id = edit_record(
        sums, outcome.run_id, lambda record: record["code"].update(tree=None, commit=sums.commit())
    )
    found = sums.again(run_id, kept=kept)
    assert (found.likeness, found.reason) == ("IMPOSSIBLE", "the recorded code holds no pipelines/")


def test_an_environment_that_states_the_recorded_digests_of_other_files_is_not_believed(sums: Sums) -> None:
    recorded = {name: each.content for name, each in sums.record(sums.run(), "add").outputs.items()}
    outcome = lies_again(sums, f"{{'content': {recorded}[name]}}")
    assert {name: each.content for name, each in sums.record(outcome, "add").outputs.items()} == recorded
    found = sums.again(outcome)
    assert likenesses(found) == {"draw": "IDENTICAL", "add": "DIVERGED"}
    assert step(found, "add").error.startswith(
        "the recorded environment says of what it made that sums has the content "
    )
    assert "and that is not so: its files have " in found.reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("{'metadata': {'metrics': {'total': 191.0}}}", 'sums has metrics = {"total": 191.0}, and that is not so'),
        ("{'folder': written.folder.parent.parent.parent}", "lies in the folder of its call, and that is not so"),
        ("{'type': 'table'}", "sums is a table, and that is not so: its files are none"),
    ],
)
@pytest.mark.sampled
def test_whatever_else_an_environment_says_of_its_files_is_worked_out_again(
    sums: Sums, change: str, said: str
) -> None:
    found = sums.again(lies_again(sums, change))
    assert found.likeness == "DIVERGED"
    assert said in step(found, "add").error


def test_metadata_that_an_environment_leaves_out_is_read_from_the_files(sums: Sums) -> None:
    kept = sums.root / "relet-reproduce-kept"
    outcome = lies_again(sums, "{'metadata': {}}")
    sums.again(outcome, kept=kept)
    assert open_store(kept / "store").version("sums:v1").metadata == {"metrics": {"total": 0.0}}


def _without_caveats(sums: Sums, outcome: RunOutcome) -> str:
    """Take every caveat out of the records of a run, and what git said of its files."""
    for run_id in (outcome.run_id, sums.record(outcome, "draw").id, sums.record(outcome, "add").id):
        edit_record(sums, run_id, lambda record: record.update(caveats=[], undeclared={}))
        edit_record(sums, run_id, lambda record: record["code"].update(uncommitted={}, dirty=False))
    return str(outcome.run_id)


def test_a_record_whose_caveats_were_emptied_gives_no_better_verdict(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory
) -> None:
    factor = tmp_path_factory.mktemp("outside") / "factor.txt"
    factor.write_text("1")
    sums.edit("helper.py", "    return", f"    open({str(factor)!r}).close()\n    return")
    outcome = sums.run()
    honest = sums.again(outcome).caveats
    emptied = sums.again(_without_caveats(sums, outcome)).caveats
    assert "runs code that is not committed: pipelines/sums/helper.py" in emptied
    assert any(each.startswith("made again, add reads ") and "factor.txt" in each for each in emptied)
    assert set(emptied) == set(honest)


def test_what_only_the_record_can_say_is_marked_as_its_word(sums: Sums) -> None:
    outcome = sums.run()
    said = [{"kind": "network", "what": "198.51.100.7:80"}, {"kind": "uncommitted", "what": "nowhere.py"}]
    edit_record(sums, sums.record(outcome, "add").id, lambda record: record.update(caveats=said))
    found = sums.again(outcome)
    assert found.caveats == ("the record says that it connects to 198.51.100.7:80",)


def test_where_the_commit_is_not_here_it_is_said_that_nobody_can_tell(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outcome = sums.run()
    told = f"nobody can tell here whether its code is that of commit {sums.git('rev-parse', 'HEAD')[:12]}"
    assert told not in sums.again(outcome).caveats
    assert told in sums.again(outcome, root=tmp_path_factory.mktemp("elsewhere")).caveats


def test_packages_that_are_not_the_locks_are_told_without_the_record(sums: Sums) -> None:
    sums.edit("helper.py", "    return", "    import numpy\n    return")
    outcome = sums.run()
    found = sums.again(_without_caveats(sums, outcome))
    assert any(each.startswith("runs in an environment that is not the lock's: numpy ") for each in found.caveats)


def test_a_record_whose_key_was_changed_is_told(sums: Sums) -> None:
    outcome = sums.run()
    key = "k" * 64
    edit_record(sums, sums.record(outcome, "add").id, lambda record: record.update(key=key))
    found = sums.again(outcome)
    assert found.likeness == "IDENTICAL"
    (told,) = (each for each in found.caveats if "key" in each)
    assert told.startswith(f"the record of add says that its key is {key}, and the digest of its parts is ")


def _edit_version(sums: Sums, reference: str, **fields: Any) -> None:
    """Write a version's document again with other fields, under the number that it has then."""
    version = sums.store.version(reference)
    folder = sums.root / ".relet" / "artifacts" / version.name.replace("/", ".") / "versions"
    held = json.loads((folder / f"{version.number}.json").read_text()) | fields
    (folder / f"{held['number']}.json").write_text(json.dumps(held))


def test_a_version_that_another_run_is_said_to_have_made_is_not_made_again(sums: Sums) -> None:
    first, second = sums.run(), sums.run("scale=2")
    maker = sums.record(first, "add").id
    _edit_version(sums, "report:v2", producer=maker)
    found = sums.again("report:v2")
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.startswith(
        f"sums/report:v2 says that run {maker} made it, and that run's record names no output "
    )
    assert sums.again(second).likeness == "IDENTICAL"


def test_a_version_that_was_planted_beside_what_its_run_made_is_not_made_again(sums: Sums) -> None:
    sums.run()
    sha = sums.store.put_object(b"the sum is 999")
    _edit_version(sums, "report:v1", number=2, content=sha, files={"report.txt": sha})
    found = sums.again("report:v2")
    assert found.likeness == "IMPOSSIBLE"
    assert "one of the two was changed (`relet artifacts verify`)" in found.reason
    assert sums.again("report:v1").likeness == "IDENTICAL"


def test_a_version_of_a_run_that_was_killed_names_the_way_to_one_that_finished(sums: Sums) -> None:
    outcome = sums.run()
    ended = {"status": "running", "ended": None, "outputs": {}, "metrics": {}}
    edit_record(sums, sums.record(outcome, "add").id, lambda record: record.update(ended))
    assert not [each for each in sums.store.verify() if each.where.startswith("sums/report:v1")]
    found = sums.again("report:v1")
    assert found.likeness == "IMPOSSIBLE"
    assert "its status is running; name the run that made this content since (`relet runs`)" in found.reason


@pytest.mark.parametrize("maker", [None, "another step"])
def test_a_key_that_names_no_run_hides_no_undeclared_file(sums: Sums, maker: str | None) -> None:
    sums.edit("helper.py", "    return", "    open('factor.txt').close()\n    return")
    factor = sums.root / "factor.txt"
    factor.write_text("1")
    first, second = sums.run(), sums.run("scale=2")
    run = sums.record(second, "add")
    path = sums.root / ".relet" / "keys" / f"{run.key}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "run": None}))
    for link in run.outputs.values():
        _edit_version(sums, link.version, producer=sums.record(first, "draw").id if maker else None)
    factor.write_text("1000")
    assert {each.component: str(each.action) for each in sums.run("scale=2").results}["add"] == "run"


def test_a_stored_verdict_whose_word_is_not_that_of_its_file_is_shown_as_false(
    sums: Sums, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = sums.run()
    monkeypatch.setenv("OMP_NUDGE", "40.1")
    keep(sums.again(outcome), sums.store)
    assert latest_of_runs(sums.store)[str(outcome.run_id)].likeness == "DIVERGED"
    path = sums.root / ".relet" / "artifacts" / "reproduction" / "versions" / "1.json"
    path.write_text(path.read_text().replace("DIVERGED", "IDENTICAL"))
    assert latest_of_runs(sums.store)[str(outcome.run_id)].likeness == "FALSE"
    assert str(latest_on(sums.store, "sums/sums:v1")).startswith("FALSE on ")
    assert "IDENTICAL" not in relet(capsys, "runs")[1]
    assert "again     FALSE on " in relet(capsys, "artifacts", "show", "sums:v1")[1]


def test_a_stored_verdict_whose_findings_are_gone_is_believed_no_more(sums: Sums) -> None:
    outcome = sums.run()
    version = keep(sums.again(outcome), sums.store)
    collected(sums, version.files["reproduction.json"])
    assert latest_of_runs(sums.store)[str(outcome.run_id)].likeness == "FALSE"


def test_a_stored_version_that_claims_another_content_is_told_from_one_that_is_gone(sums: Sums) -> None:
    outcome = sums.run()
    content = sums.record(outcome, "add").outputs["report"].content
    path = sums.root / ".relet" / "artifacts" / "sums.report" / "versions" / "1.json"
    path.write_text(path.read_text().replace(content, "f" * 64))
    found = sums.again(outcome)
    told = f"sums/report:v1: in the store it has the content {'f' * 12}, and the run recorded {content[:12]}"
    assert told in found.reason
