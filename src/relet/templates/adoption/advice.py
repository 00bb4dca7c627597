"""What of an adopted script is worth a step or a type of its own, with the line where it stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_SPLIT = "it splits the rows itself: a step before with relet.segregation keeps test rows apart for good"
_READ = "it reads a file itself: a step that returns the table gives each later step its types and digest"
_LOGGED = "it logs to MLflow itself: what a component returns as Metrics is tracked without these lines"
# The name of a call → what to take apart there.
_ADVICE = {
    "train_test_split": _SPLIT,
    "fit": "it fits a model: a step that takes a table and returns relet.Model has its own key and is checked",
    "read_csv": _READ,
    "read_parquet": _READ,
    "savefig": "it writes a figure: return it as an artifact (Figure), and trackers show it",
    "start_run": _LOGGED,
    "log_metric": _LOGGED,
    "set_experiment": _LOGGED,
    "input": "it asks somebody at the terminal: make an argument of that",
    "urlopen": "it fetches from the network: name the address as a Source, whose content is digested",
}
_PICKLED = "it pickles: a model that is returned as relet.Model is stored as values, and loading it runs no code"
_MEASURED = "it measures: return such numbers as Metrics, and runs can be compared and gated by them"
_PICKLERS = frozenset(("pickle", "joblib", "cloudpickle", "dill"))
_METRICS = ("_score", "_error", "_loss", "classification_report", "confusion_matrix")


def advice(tree: ast.Module) -> tuple[str, ...]:
    """What to take apart next, in the order of the lines: one sentence of a kind."""
    first: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for words in _said_of(node):
                first[words] = min(node.lineno, first.get(words, node.lineno))
    return tuple(f"line {line}: {words}" for words, line in sorted(first.items(), key=lambda each: each[1]))


def _said_of(call: ast.Call) -> Iterator[str]:
    dotted = ast.unparse(call.func)
    name = dotted.rpartition(".")[2]
    if name in _ADVICE:
        yield _ADVICE[name]
    if name in ("dump", "dumps") and dotted.partition(".")[0] in _PICKLERS:
        yield _PICKLED
    if name.endswith(_METRICS) and "cross_val" not in name:
        yield _MEASURED
    if name == "train_test_split" and not any(each.arg == "random_state" for each in call.keywords):
        yield "it splits at random without random_state: each run gives another model"
    paths = (each.value for each in call.args[:1] if isinstance(each, ast.Constant))
    if name.startswith("read_") and any(isinstance(each, str) and "://" in each for each in paths):
        yield "it reads an address of the network: name it as a Source, whose content is digested"
