"""What data tests hand in is judged once, in a suite that a component runs and in one that is run by hand."""

from pathlib import Path

import pytest

from relet import Verdict
from relet.checks import run_suite
from relet.errors import SettingError
from tests.flats import HEAD, KIND, SHIFT, write_batches

DIVERGENCE = "def test_divergence(data: Table, reference: Table, judge):\n"
DIVERGENCE += "    judge(kullback_leibler(data.kind, reference.kind), threshold=0.1)\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return write_batches(tmp_path)


def verdict(files: dict[str, Path], data: str, text: str, **options: object) -> Verdict:
    folder = files["same"].parent / "checks"
    folder.mkdir(exist_ok=True)
    (folder / "test_rents.py").write_text(HEAD + text)
    return run_suite(folder, data=files[data], reference=files["same"], options=options)


def test_a_passing_family_names_its_smallest_p_value(files: dict[str, Path]) -> None:
    found = verdict(files, "cheaper", SHIFT + KIND)
    rent, kind = found.checks
    assert (
        found.passed and found.reason == f"2 checks passed, smallest family-wise p {rent.measured['adjusted']:.2g}"
    )
    assert rent.name == "test_rents" and rent.message.startswith(
        "H0: rent is distributed as in the reference. D = "
    )
    assert rent.p_value == rent.measured["p_value"] > 0.05
    assert kind.measured["test"] == "chi_square" and kind.measured["sizes"] == [400, 400]
    assert Verdict.from_json(found.to_json()) == found


def test_a_rejected_null_hypothesis_fails_its_test_and_no_other(files: dict[str, Path]) -> None:
    found = verdict(files, "dearer", SHIFT + KIND)
    assert [check.passed for check in found.checks] == [False, True]
    assert found.reason.startswith(
        "1 of 2 checks failed: test_rents (H0: rent is distributed as in the reference."
    )
    assert found.checks[0].measured["rejected"] and "H0 is rejected." in found.checks[0].message


def test_the_hyperparameters_say_how_the_family_is_judged(files: dict[str, Path]) -> None:
    assert not verdict(files, "dearer", SHIFT).passed
    lenient = verdict(files, "dearer", SHIFT, min_effect=0.5)
    assert lenient.passed and lenient.checks[0].measured["floor"] == 0.5
    assert verdict(files, "dearer", SHIFT, alpha=1e-30, correction="sidak").passed
    found = verdict(files, "dearer", SHIFT, correction="sidak").checks[0].measured
    assert (found["correction"], found["alpha"]) == ("sidak", 0.05)


def test_wrong_rules_are_an_error_before_any_test_runs(files: dict[str, Path]) -> None:
    with pytest.raises(SettingError, match="did you mean holm"):
        verdict(files, "same", "raise SystemExit\n", correction="hlm")


def test_a_divergence_fails_at_once(files: dict[str, Path]) -> None:
    text = DIVERGENCE + "    raise RuntimeError('not reached')\n"
    found = verdict(files, "other", text)
    assert found.reason.startswith("1 of 1 check failed: test_divergence (H0: kind has the reference's shares.")
    assert "than the 0.1 bits that is allowed" in found.reason and found.checks[0].measured["rejected"]
    passed = verdict(files, "same", DIVERGENCE)
    assert passed.reason == "1 check passed" and passed.checks[0].measured["adjusted"] is None


def test_a_test_that_asserts_too_fails_by_its_assertion(files: dict[str, Path]) -> None:
    found = verdict(files, "same", SHIFT + "    assert len(data.columns) == 7\n" + KIND)
    assert [check.passed for check in found.checks] == [False, True]
    assert found.checks[0].message.startswith("assert 3 == 7")
    assert found.checks[0].measured["adjusted"] == 1.0


def test_a_test_may_hand_in_several_outcomes(files: dict[str, Path]) -> None:
    text = SHIFT + "    judge(chi_square(data.kind, reference.kind))\n"
    found = verdict(files, "dearer", text)
    assert {check.name: check.passed for check in found.checks} == {
        "test_rents": True,
        "test_rents: kolmogorov_smirnov of rent": False,
        "test_rents: chi_square of kind": True,
    }
    assert not found.passed and found.checks[0].message == "Rents."


def test_an_outcome_that_cannot_be_judged_fails_its_test(files: dict[str, Path]) -> None:
    found = verdict(files, "same", DIVERGENCE.replace(", threshold=0.1", ""))
    assert not found.passed and "kullback_leibler has no p-value" in found.reason


def test_the_whole_session_is_one_family(files: dict[str, Path]) -> None:
    many = "".join(KIND.replace("test_kinds", f"test_kinds_{place}") for place in range(9))
    alone, among = (verdict(files, "cheaper", text).checks[0].measured for text in (SHIFT, SHIFT + many))
    assert alone["p_value"] == among["p_value"]
    assert among["adjusted"] == pytest.approx(min(1, 10 * alone["adjusted"]))
    assert among["detectable"] > alone["detectable"]


def test_a_verdict_with_measurements_is_the_same_every_time(files: dict[str, Path]) -> None:
    text = SHIFT + KIND + DIVERGENCE
    assert verdict(files, "cheaper", text).to_json() == verdict(files, "cheaper", text).to_json()
