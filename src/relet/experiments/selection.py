"""Which trials are shown, and in which order. A filter is a small grammar; it is never evaluated as code.

FILTER     = comparison {"and" comparison}
comparison = name ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=") value
value      = a number, a word, text in quotes, true, false, or none (the trial has no such value)

A run or sweep equals its id, the end of its id that tables show, and any beginning of its id.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from relet.errors import SettingError, nearest
from relet.experiments.experiment import Trial, short_id

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<operator><=|>=|==|!=|=|<|>)|(?P<word>[^\s"'<>=!]+))"""
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = {"true": True, "false": False, "none": None, "null": None}
# How many names an error lists.
OFFERED = 12
_ADVICE = "write comparisons joined by and, such as --filter 'mae<30 and status=finished'"


@dataclass(frozen=True, kw_only=True)
class TrialCondition:
    """One condition: a name, an operator (`by`) and a value; `text` is the value as it was written."""

    name: str
    by: str
    value: Any
    text: str


def conditions(text: str) -> tuple[TrialCondition, ...]:
    """The conditions of a filter. Raises SettingError with the place where the filter can't be read.

    >>> [(each.name, each.by, each.value) for each in conditions("mae<30 and model=random_forest")]
    [('mae', '<', 30.0), ('model', '=', 'random_forest')]
    """
    tokens = list(_tokens(text))
    found = []
    while tokens:
        if len(tokens) < 3 or tokens[1][0] != "operator" or "operator" in (tokens[0][0], tokens[2][0]):
            rest = " ".join(word for _, word in tokens[:3])
            raise SettingError(f"--filter: {rest!r} in {text!r} is no comparison; {_ADVICE}")
        name, by, value = tokens[:3]
        found.append(
            TrialCondition(name=_token_text(name), by=by[1], value=_token_value(value), text=_token_text(value))
        )
        tokens = tokens[3:]
        if tokens:
            if tokens[0][1].lower() != "and" or len(tokens) == 1:
                raise SettingError(f"--filter: after {value[1]!r} in {text!r} and was expected; {_ADVICE}")
            tokens = tokens[1:]
    if not found:
        raise SettingError(f"--filter: {text!r} asks for nothing; {_ADVICE}")
    return tuple(found)


def _tokens(text: str) -> Iterable[tuple[str, str]]:
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise SettingError(f"--filter: {text[at:].strip()!r} in {text!r} can't be read; {_ADVICE}")
        yield str(match.lastgroup), match[match.lastgroup or 0]
        at = match.end()


def _token_text(token: tuple[str, str]) -> str:
    kind, word = token
    return word[1:-1] if kind == "quoted" else word


def _token_value(token: tuple[str, str]) -> Any:
    text = _token_text(token)
    if token[0] == "quoted":
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return float(text)
    except ValueError:
        return text


def selected_trials(trials: Sequence[Trial], text: str) -> list[Trial]:
    """The trials that meet every condition of a filter.

    A trial without a value meets only the conditions `!=` and `= none` on that value. Raises SettingError for a
    filter that can't be read, for a name that no trial has (with the nearest), and for `<` and `>` between values
    that have no order.
    """
    asked = conditions(text)
    known = trial_value_names(trials)
    own = _own_names(trials)
    resolved = [(resolve(each.name, known, "--filter", first=own), each) for each in asked]
    return [each for each in trials if all(_meets_condition(each, name, wanted) for name, wanted in resolved)]


def _meets_condition(trial: Trial, name: str, wanted: TrialCondition) -> bool:
    value = trial.values.get(name)
    compare = _OPERATORS[wanted.by]
    if wanted.by in ("=", "==", "!="):
        if name in ("run", "sweep") and value in (trial.id, trial.sweep) and value is not None:
            # the text and not the value, since the end of an id, such as 00000002, may read as a number
            return _is_id_of_run(wanted.text, value) == (wanted.by != "!=")
        return bool(compare(_comparable_value(value), _comparable_value(wanted.value)))
    if value is None:
        return False
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(wanted.value, int | float):
        if isinstance(value, str) and isinstance(wanted.value, str):
            return bool(compare(value, wanted.value))
        raise SettingError(
            f"--filter: {wanted.name} {wanted.by} {wanted.value!r} has no order: it is {value!r} in a run; "
            "compare it with = or !="
        )
    return bool(compare(value, wanted.value))


def _is_id_of_run(word: str, id_: str) -> bool:
    return bool(word) and (id_.startswith(word) or short_id(id_) == word)


def _comparable_value(value: Any) -> Any:
    """A value such that 1 and 1.0 are equal, and True and 1 are not."""
    if isinstance(value, bool) or value is None:
        return str(value)
    return float(value) if isinstance(value, int | float) else value if isinstance(value, str) else str(value)


def trial_value_names(trials: Sequence[Trial]) -> list[str]:
    """The names of all values that some trial has."""
    return list(dict.fromkeys(name for each in trials for name in each.values))


def _own_names(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(name for each in trials for name in (*each.settings, *each.metrics)))


def resolve(name: str, known: Sequence[str], option: str, *, first: Sequence[str] = ()) -> str:
    """The whole name that `name` stands for: a name is known by its end, too, where only one name ends so.

    Of several that end so, the only one in `first` is meant. Raises SettingError with the names that it could be,
    or with the nearest.

    >>> resolve("leaves", ["mae", "model.leaves"], "--sort")
    'model.leaves'
    """
    if name in known:
        return name
    ending = [each for each in known if each.endswith(f".{name}")]
    if len(chosen := [each for each in ending if each in first]) == 1:
        return chosen[0]
    if len(ending) == 1:
        return ending[0]
    if ending:
        raise SettingError(f"{option}: {name} could be {' or '.join(ending)}; write one of them")
    raise SettingError(f"{option}: no run has {name!r}; {_suggested_names(name, known)}")


def _suggested_names(name: str, known: Sequence[str]) -> str:
    """The name that was probably meant; else the names that are most like what was written."""
    ends = [each.rpartition(".")[2] for each in known]
    if get_close_matches(name, [*known, *ends], n=1):
        return nearest(name, [*known, *ends])
    some = get_close_matches(name, known, n=OFFERED, cutoff=0.0)
    return nearest(name, some) + (f" and {len(known) - len(some)} more" if len(known) > len(some) else "")


def ordered_trials(trials: Sequence[Trial], by: str) -> list[Trial]:
    """Trials sorted by a value: `mae` ascending, `-mae` descending.

    Ascending, numbers come before text. Trials without the value come last in both directions. Raises SettingError
    for a name that no trial has.
    """
    descending = by.startswith("-")
    name = resolve(by.lstrip("+-"), trial_value_names(trials), "--sort", first=_own_names(trials))
    sortable = [each for each in trials if _is_sortable(each.values.get(name))]
    rest = [each for each in trials if not _is_sortable(each.values.get(name))]
    return sorted(sortable, key=lambda each: _sort_key(each.values[name]), reverse=descending) + rest


def _is_sortable(value: Any) -> bool:
    """Whether there is a value, and it is not NaN."""
    return value is not None and value == value


def _sort_key(value: Any) -> tuple[bool, float, str]:
    if isinstance(value, int | float):
        return False, float(value), ""
    return True, 0.0, str(value)
