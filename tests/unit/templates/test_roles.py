"""What each column is for: the task, the inputs, what is left out, the bounds and the split."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from relet.errors import BadDataError
from relet.templates.roles import Roles, Task, find_roles
from relet.templates.typed_file import read_typed

ROWS = 120
Column = Callable[[int], object]


@pytest.fixture
def roles_of(tmp_path: Path) -> Callable[..., Roles]:
    """The roles of a file whose columns are functions of the row's number; `target` and `size` have no default."""

    def find(target: str = "y", rows: int = ROWS, **columns: Column) -> Roles:
        path = tmp_path / "rows.csv"
        lines = [",".join(columns)]
        lines += [",".join(str(column(n)) for column in columns.values()) for n in range(rows)]
        path.write_text("\n".join(lines) + "\n")
        return find_roles(read_typed(path), target)

    return find


def size(n: int) -> float:
    return round(Random(n).uniform(10, 20), 3)


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        (lambda n: n * 1.5, Task.REGRESSION, ()),
        (lambda n: n, Task.REGRESSION, ()),
        (lambda n: n % 3, Task.CLASSIFICATION, (0, 1, 2)),
        (lambda n: "yes" if n % 2 else "no", Task.CLASSIFICATION, ("no", "yes")),
        (lambda n: n % 2 == 0, Task.CLASSIFICATION, (False, True)),
        (lambda n: n % 3 / 2, Task.REGRESSION, ()),
    ],
)
def test_the_target_decides_the_task(
    roles_of: Callable[..., Roles], target: Column, task: Task, classes: tuple[object, ...]
) -> None:
    found = roles_of(y=target, size=size)
    assert (found.task, found.classes, found.inputs) == (task, classes, ("size",))


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (lambda n: 7, "has 1 value"),
        (lambda n: "", "has 0 values"),
        (lambda n: f"name {n}", "120 different values"),
        (lambda n: f"2020-01-{1 + n % 28:02}", "holds dates"),
    ],
)
def test_a_target_that_no_model_predicts_is_refused(
    roles_of: Callable[..., Roles], target: Column, told: str
) -> None:
    with pytest.raises(BadDataError, match=told):
        roles_of(y=target, size=size)


def test_too_few_rows_are_refused(roles_of: Callable[..., Roles]) -> None:
    with pytest.raises(BadDataError, match="has 29 rows: at least 30"):
        roles_of(rows=29, y=lambda n: n, size=size)


def test_an_unknown_target_is_told_with_the_nearest(roles_of: Callable[..., Roles]) -> None:
    with pytest.raises(BadDataError, match=r"no column 'prise': did you mean price\?; set --target"):
        roles_of(target="prise", price=lambda n: n, size=size)


def test_a_file_with_nothing_to_predict_by_is_refused(roles_of: Callable[..., Roles]) -> None:
    with pytest.raises(BadDataError, match=r"no column to predict y by .*constant: the same in every row"):
        roles_of(y=lambda n: n * 1.5, constant=lambda n: 1, id=lambda n: n)


def test_what_says_nothing_of_the_next_row_is_left_out(roles_of: Callable[..., Roles]) -> None:
    found = roles_of(
        y=lambda n: n * 1.5,
        id=lambda n: 1000 + n,
        name=lambda n: f"N{n}",
        constant=lambda n: "x",
        empty=lambda n: "",
        index=lambda n: n,
        size=size,
        kind=lambda n: "abc"[n % 3],
        sold=lambda n: n % 2 == 0,
        text=lambda n: f"a long text about the thing number {n}",
    )
    assert set(found.left_out) == {"id", "name", "constant", "empty", "index"}
    assert (found.numbers, found.categories, found.texts) == (("size", "sold"), ("kind",), ("text",))
    assert found.key == "id"


@pytest.mark.parametrize(
    ("columns", "method", "column"),
    [
        (
            {"customer_id": lambda n: n % 20, "sold_at": lambda n: f"2020-01-{1 + n % 28:02}"},
            "by_group",
            "customer_id",
        ),
        ({"patient": lambda n: f"p{n % 20}"}, "by_group", "patient"),
        ({"sold_at": lambda n: f"2020-01-{1 + n % 28:02}"}, "by_time", "sold_at"),
        ({"birth_date": lambda n: f"2020-01-{1 + n % 28:02}"}, "random", None),
        ({"order_id": lambda n: n}, "keyed", "order_id"),
        ({"type_id": lambda n: n % 3}, "random", None),
    ],
)
def test_a_column_says_how_rows_are_divided(
    roles_of: Callable[..., Roles], columns: dict[str, Column], method: str, column: str | None
) -> None:
    split = roles_of(y=lambda n: n * 1.5, size=size, **columns).split
    assert split.method == method
    by = {"by_group": split.group_by, "by_time": split.time_by, "keyed": split.key, "random": None}
    assert by[method] == column


def test_classes_keep_their_shares(roles_of: Callable[..., Roles]) -> None:
    split = roles_of(y=lambda n: "ab"[n % 2], size=size).split
    assert (split.method, split.stratify_by) == ("random", "y")


def test_bounds_lie_beyond_what_is_there_and_not_below_zero_without_need(roles_of: Callable[..., Roles]) -> None:
    found = roles_of(y=lambda n: n - 60, size=size, east=lambda n: -74 + n % 2, north=lambda n: 40 + n % 2).bounds
    assert set(found) == {"y", "size", "east", "north"}
    assert (found["east"], found["north"]) == ((-75.0, -72.0), (39.0, 42.0))
    least, most = found["size"]
    assert least == 0.0
    assert 20 < most <= 40
    assert found["y"][0] < -60 < 59 < found["y"][1]


def test_a_column_that_gives_the_target_away_is_told(roles_of: Callable[..., Roles]) -> None:
    found = roles_of(y=lambda n: n * 1.5, watts=lambda n: n * 1500, size=size)
    assert any("watts says nearly all of y" in hint for hint in found.hints)
    assert not any("size" in hint for hint in found.hints)


def test_a_class_of_few_rows_and_rows_without_target_are_told(roles_of: Callable[..., Roles]) -> None:
    found = roles_of(y=lambda n: "rare" if n == 5 else "" if n == 6 else "ab"[n % 2], size=size)
    assert "y is rare in 1 row alone: too few to be learned" in found.hints
    assert "1 row without y: cleaning sets them aside" in found.hints
