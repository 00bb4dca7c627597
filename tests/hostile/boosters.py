"""LightGBM models whose text is mangled: LightGBM ends the process over most of them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.hostile.folders import edit_text, hostile, reseal


def _replace(folder: Path, pattern: str, put: str) -> None:
    """Change the first line that matches in each booster."""

    def change(text: str) -> str:
        changed, times = re.subn(pattern, put, text, count=1, flags=re.MULTILINE)
        assert times, f"no line is {pattern}"
        return changed

    edit_text(folder, change)


def _write(folder: Path, text: str) -> None:
    (folder / "booster.txt").write_text(text, newline="\n")
    reseal(folder)


@hostile("boosted")
def booster_child_far_away(folder: Path) -> None:
    """A branch leads behind the nodes: the process ends."""
    _replace(folder, r"^left_child=-?\d+", "left_child=2000000")


@hostile("boosted")
def booster_leaf_far_away(folder: Path) -> None:
    """A branch leads to a leaf that is not there."""
    _replace(folder, r"^right_child=-?\d+", "right_child=-2000000")


@hostile("boosted")
def booster_branches_in_a_circle(folder: Path) -> None:
    """A branch leads to itself: LightGBM counts depths until its stack ends."""
    _replace(folder, r"^left_child=-?\d+", "left_child=0")


@hostile("boosted")
def booster_two_branches_to_one_leaf(folder: Path) -> None:
    """All branches lead to one leaf."""
    _replace(folder, r"^(left_child=)-?\d+( -?\d+)( -?\d+)$", r"\1-1 -1 -1")


@hostile("boosted")
def booster_feature_far_away(folder: Path) -> None:
    """A split asks for a feature that no row has."""
    _replace(folder, r"^split_feature=\d+", "split_feature=2000000")


@hostile("boosted")
def booster_with_too_many_leaves(folder: Path) -> None:
    """A tree says that it has a thousand million leaves."""
    _replace(folder, r"^num_leaves=\d+", "num_leaves=1000000000")


@hostile("boosted")
def booster_with_fewer_leaves(folder: Path) -> None:
    """A tree says that it has two leaves."""
    _replace(folder, r"^num_leaves=\d+", "num_leaves=2")


@hostile("boosted")
def booster_with_less_than_no_leaf(folder: Path) -> None:
    """A tree has -1 leaves."""
    _replace(folder, r"^num_leaves=\d+", "num_leaves=-1")


@hostile("boosted")
def booster_with_few_thresholds(folder: Path) -> None:
    """A tree has one threshold for several splits."""
    _replace(folder, r"^threshold=(\S+) .*$", r"threshold=\1")


@hostile("boosted")
def booster_threshold_nan(folder: Path) -> None:
    """A threshold is no number."""
    _replace(folder, r"^threshold=\S+", "threshold=nan")


@hostile("boosted")
def booster_leaf_infinite(folder: Path) -> None:
    """A leaf predicts infinity."""
    _replace(folder, r"^leaf_value=\S+", "leaf_value=1e999")


@hostile("boosted")
def booster_with_letters_for_a_number(folder: Path) -> None:
    """A leaf predicts letters."""
    _replace(folder, r"^leaf_value=\S+", "leaf_value=ten")


@hostile("boosted")
def booster_with_two_numbers_in_one(folder: Path) -> None:
    """Two numbers stand where one belongs, and a space too many."""
    _replace(folder, r"^leaf_count=\d+ \d+ ", "leaf_count=1-2  ")


@hostile("boosted")
def booster_with_a_number_too_long(folder: Path) -> None:
    """A count has forty digits."""
    _replace(folder, r"^leaf_count=\d+", "leaf_count=" + "9" * 40)


@hostile("boosted")
def booster_with_a_count_beyond_its_type(folder: Path) -> None:
    """A count does not fit into the 32 bits that LightGBM has for it."""
    _replace(folder, r"^leaf_count=\d+", f"leaf_count={2**40}")


@hostile("boosted")
def booster_with_a_categorical_split(folder: Path) -> None:
    """A split is categorical, and no categories are there."""
    _replace(folder, r"^decision_type=\d+", "decision_type=1")


@hostile("boosted")
def booster_with_categories_far_away(folder: Path) -> None:
    """A tree has categories whose boundaries lie outside."""
    _replace(folder, r"^num_cat=0$", "num_cat=1\ncat_boundaries=0 1000000\ncat_threshold=1")


@hostile("boosted")
def booster_with_linear_leaves(folder: Path) -> None:
    """A tree says that its leaves are linear, and has no weights."""
    _replace(folder, r"^is_linear=0", "is_linear=1")


@hostile("boosted")
def booster_of_more_features(folder: Path) -> None:
    """A booster reads more features than a row has."""
    _replace(folder, r"^max_feature_idx=\d+", "max_feature_idx=100000")


@hostile("boosted")
def booster_of_less_than_no_feature(folder: Path) -> None:
    """A booster's largest feature is -5."""
    _replace(folder, r"^max_feature_idx=\d+", "max_feature_idx=-5")


@hostile("boosted")
def booster_of_many_classes(folder: Path) -> None:
    """A booster predicts a thousand million classes for each row."""
    _replace(folder, r"^num_class=1", "num_class=1000000000")


@hostile("boosted")
def booster_of_many_trees_in_a_round(folder: Path) -> None:
    """A booster has a million trees in each round."""
    _replace(folder, r"^num_tree_per_iteration=1", "num_tree_per_iteration=1000000")


@hostile("boosted")
def booster_with_another_objective(folder: Path) -> None:
    """A booster has an objective with parameters of its own."""
    _replace(folder, r"^objective=.*$", "objective=multiclass num_class:-3")


@hostile("boosted")
def booster_with_strange_names(folder: Path) -> None:
    """The features have other names than they are given."""
    _replace(folder, r"^feature_names=.*$", "feature_names=x")


@hostile("boosted")
def booster_with_few_ranges(folder: Path) -> None:
    """One feature has a range."""
    _replace(folder, r"^feature_infos=.*$", "feature_infos=[0:1]")


@hostile("boosted")
def booster_with_an_unknown_line(folder: Path) -> None:
    """A tree has a line that LightGBM never writes."""
    _replace(folder, r"^shrinkage=", "leaf_const=1\nshrinkage=")


@hostile("boosted")
def booster_with_a_line_less(folder: Path) -> None:
    """A tree has no thresholds."""
    _replace(folder, r"^threshold=.*\n", "")


@hostile("boosted")
def booster_with_wrong_sizes(folder: Path) -> None:
    """The sizes of trees lead into the middle of a tree."""
    text = (folder / "booster.txt").read_text()
    _write(folder, re.sub(r"^tree_sizes=.*$", "tree_sizes=1 2 3 4", text, flags=re.MULTILINE))


@hostile("boosted")
def booster_with_sizes_far_away(folder: Path) -> None:
    """The sizes of trees lead behind the text."""
    text = (folder / "booster.txt").read_text()
    _write(folder, re.sub(r"^tree_sizes=\d+", "tree_sizes=2000000000", text, flags=re.MULTILINE))


@hostile("blend")
def booster_cut_off(folder: Path) -> None:
    """A booster ends in a tree."""
    text = (folder / "booster.txt").read_text()
    _write(folder, text[: len(text) // 3])


@hostile("boosted")
def booster_without_trees(folder: Path) -> None:
    """A booster has no trees."""
    text = (folder / "booster.txt").read_text()
    _write(folder, re.sub(r"Tree=0[\s\S]*?end of trees", "end of trees", text))


@hostile("blend")
def booster_that_is_none(folder: Path) -> None:
    """The text is a story."""
    _write(folder, "Once there was a tree\n")


@hostile("blend")
def booster_of_zeros(folder: Path) -> None:
    """The text is a megabyte of zero bytes."""
    _write(folder, "\x00" * 2**20)


@hostile("boosted")
def booster_less_than_objectives(folder: Path) -> None:
    """There is one booster for two objectives."""
    _write(folder, (folder / "booster.txt").read_text().split("\x1e\n")[0])


@hostile("boosted")
def booster_that_names_a_file(folder: Path) -> None:
    """A parameter names a file."""
    _replace(folder, r"^\[forcedsplits_filename: \]", "[forcedsplits_filename: splits.json]")


@hostile("boosted")
def booster_with_categories_of_pandas(folder: Path) -> None:
    """The last line is another JSON value."""
    edit_text(folder, lambda text: text.replace("pandas_categorical:null", "pandas_categorical:[[1]]"))


@hostile("boosted")
def booster_with_a_deep_tree(folder: Path) -> None:
    """A tree is one path of 60,000 branches: LightGBM follows it on its stack."""
    leaves = 60_001
    branches = range(leaves - 1)
    lines = {
        "num_leaves": leaves,
        "num_cat": 0,
        "split_feature": "0 " * (leaves - 1),
        "split_gain": "1 " * (leaves - 1),
        "threshold": "1 " * (leaves - 1),
        "decision_type": "2 " * (leaves - 1),
        "left_child": " ".join(str(each + 1 if each < leaves - 2 else -leaves) for each in branches),
        "right_child": " ".join(str(-each - 1) for each in branches),
        "leaf_value": "1 " * leaves,
        "leaf_weight": "1 " * leaves,
        "leaf_count": "1 " * leaves,
        "internal_value": "1 " * (leaves - 1),
        "internal_weight": "1 " * (leaves - 1),
        "internal_count": "1 " * (leaves - 1),
        "is_linear": 0,
        "shrinkage": 1,
    }
    tree = "Tree=0\n" + "".join(f"{name}={str(value).strip()}\n" for name, value in lines.items()) + "\n\n"
    edit_text(folder, lambda text: re.sub(r"Tree=0[\s\S]*?end of trees", f"{tree}end of trees", text))
