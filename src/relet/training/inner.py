"""The estimators inside of a pipeline: those that store text beside the archive, and the code that they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from relet.archives.learned import DROPPED
from relet.archives.own_code import needed_own_code, own_code
from relet.core.code import FirstPartyCode
from relet.errors import ModelError
from relet.names import PACKAGE

# The modules of the estimators that predict the same to the bit on every processor: they compare and add up in a
# fixed order. What multiplies matrices depends on the processor in its last bits.
_STEADY = (
    "relet.",
    *(f"sklearn.{each}" for each in ("compose.", "dummy", "frozen.", "impute._base", "pipeline", "tree.")),
    "lightgbm.sklearn",
    *("sklearn.ensemble._forest", "sklearn.ensemble._hist_gradient_boosting.", "sklearn.feature_extraction."),
    *("sklearn.preprocessing._encoders", "sklearn.preprocessing._target_encoder", "sklearn._loss."),
)
# Where the types of estimators, and of what they are made of, are defined.
_OF_ESTIMATORS = ("relet.", "sklearn.", "lightgbm.sklearn")
# Those of packages that are extras.
_BOOSTERS = ("xgboost.sklearn", "catboost.core")
# What predicts by a package that is an extra, by the start of its module.
_PREDICTING = {
    "xgboost.sklearn": "xgboost",
    "catboost.core": "catboost",
    "lightgbm.sklearn": "lightgbm",
    "relet.training.estimators.boosted": "lightgbm",
}


def inner_estimators(value: Any) -> Iterator[Any]:
    """The estimators in a value, itself among them, in the order in which an archive holds them."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from inner_estimators(each)
    elif isinstance(value, dict):
        yield from inner_estimators(list(value.values()))
    elif type(value).__module__.startswith(_BOOSTERS):
        yield value
    elif _is_estimator_type(type(value).__module__) and hasattr(value, "__dict__"):
        yield value
        yield from inner_estimators([held for name, held in vars(value).items() if name not in DROPPED])


def _is_estimator_type(module: str) -> bool:
    return module.startswith(_OF_ESTIMATORS) or is_own_module(module)


def is_own_module(module: str) -> bool:
    """Whether a module is the project's, as far as a project is in effect."""
    known = module.partition(".")[0] in ("builtins", "numpy", "pandas", "sklearn", "relet")
    return not known and bool((own := own_code()) and own.holds(module))


def native_estimators(pipeline: Any) -> Iterator[Any]:
    """The fitted estimators of a pipeline that store what they learned as text beside the archive."""
    for each in inner_estimators(pipeline):
        if hasattr(each, "attach") and hasattr(each, "n_features_in_"):
            yield each


def extra_packages(pipeline: Any, ours: set[str]) -> tuple[str, ...]:
    """The distributions that a pipeline, and modules of the project, need beside those of every model."""
    from relet.core.installed import Distributions

    modules = {type(each).__module__ for each in inner_estimators(pipeline)}
    named = {package for each, package in _PREDICTING.items() if any(name.startswith(each) for name in modules)}
    if ours:
        named |= needed_own_code(min(ours)).third_party(ours)
    installed = Distributions.installed() if named else None
    return tuple(sorted({owner for each in named for owner in installed.owners(each)})) if installed else ()


def is_steady(pipeline: Any) -> bool:
    """Whether a pipeline predicts the same to the bit on every processor, with the same packages."""
    return all(type(each).__module__.startswith(_STEADY) for each in inner_estimators(pipeline))


def code_digests(pipeline: Any, ours: set[str]) -> Iterator[tuple[str, str]]:
    """The digests of relet's and the project's modules that a pipeline needs, and of those that these import."""
    code = _relet_code()
    found: dict[str, str] = {}
    modules = {type(each).__module__ for each in inner_estimators(pipeline)}
    for module in sorted(each for each in modules if each.startswith("relet.")):
        found |= code.closure(module).modules
    if ours:
        found |= needed_own_code(min(ours)).closure(ours)
    yield from sorted(found.items())


def check_code(recorded: Mapping[str, str], name: str) -> None:
    """Raise ModelError unless relet's modules, and the project's, are those that made the model."""
    code = _relet_code()
    if ours := [each for each in recorded if not each.startswith("relet.") and each != "relet"]:
        try:
            needed_own_code(ours[0]).check((), recorded)
        except ModelError as error:
            raise ModelError(f"{name} is not loaded: {error}") from None
    for module, digest in recorded.items():
        if module not in ours and code.digest(module) != digest:
            raise ModelError(
                f"{name} was made with another {module} than this relet has: its predictions would belong to "
                "neither; install the relet that made it, or train it again"
            )


@cache
def _relet_code() -> FirstPartyCode:
    """The source of relet, read and parsed once in a process, which imports its modules once, too.

    There is no project: of the folder that relet is installed in, all else is third parties'.
    """
    return FirstPartyCode((PACKAGE / "no project", PACKAGE.parent))
