"""Blocks that learn from the target, cross-fitted: no training row ever sees its own target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.features import columns, tokens
from relet.features.block import Block

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

Array = Any


def fold_of(size: int, folds: int, seed: int) -> NDArray[np.int64]:
    """A fold for each row. Folds are as equal in size as possible; `seed` decides the order."""
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    order = np.random.default_rng(seed).permutation(size)
    fold = np.empty(size, dtype=np.int64)
    fold[order] = np.arange(size) % folds
    return fold


class CrossFittedTargetEncoder(Block):
    """The mean target of the rows that agree in `names`, shrunk towards the overall mean.

    mean = (sum of targets + smoothing × overall mean) / (rows + smoothing). `fit_transform` gives each training
    row the mean over the other folds; an unknown combination gets the overall mean. With `log_target` the
    logarithm of the target is averaged.
    """

    values_: str
    means_: NDArray[np.float64]
    overall_: float

    def __init__(
        self,
        names: Sequence[str],
        *,
        smoothing: float = 10.0,
        folds: int = 5,
        seed: int = 0,
        log_target: bool = False,
    ) -> None:
        self.names = names
        self.smoothing = smoothing
        self.folds = folds
        self.seed = seed
        self.log_target = log_target

    def _names(self) -> list[str]:
        return [f"target_by_{'_and_'.join(self.names)}"]

    def fit(self, rows: pd.DataFrame, y: Any = None) -> CrossFittedTargetEncoder:
        self._fit(rows, y)
        return self

    def fit_transform(self, rows: pd.DataFrame, y: Any = None, **_: Any) -> NDArray[np.float64]:
        code, target = self._fit(rows, y)
        size = len(self.means_)
        fold = fold_of(len(target), self.folds, self.seed)
        made = np.empty(len(target))
        for part in range(self.folds):
            outside, inside = fold != part, fold == part
            means = self._means(code[outside], target[outside], size)
            made[inside] = means[code[inside]]
        return made.reshape(-1, 1)

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        import pyarrow.compute as pc

        position = pc.index_in(self._labels(rows), value_set=tokens.vocabulary(self.values_))
        code = pc.fill_null(position, -1).to_numpy(zero_copy_only=False)
        return np.asarray(np.append(self.means_, self.overall_)[code].reshape(-1, 1))

    def _fit(self, rows: pd.DataFrame, y: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        super().fit(rows, y)
        target = _target(y, log=self.log_target)
        labels = self._labels(rows)
        self.values_ = tokens.frequent([labels], 1)
        known = tokens.vocabulary(self.values_)
        code = _positions(labels, known)
        self.overall_ = float(np.mean(target))
        self.means_ = self._means(code, target, len(known))
        return code, target

    def _means(self, code: Array, target: Array, size: int) -> NDArray[np.float64]:
        overall = np.mean(target)
        total = np.bincount(code, target, minlength=size)
        count = np.bincount(code, minlength=size)
        return np.asarray((total + self.smoothing * overall) / (count + self.smoothing))

    def _labels(self, rows: pd.DataFrame) -> pa.Array:
        return tokens.categories(rows, [self.names])[0]


class CrossFittedScore(Block):
    """A linear model's prediction from the words of `text` and from `categories`, as one feature.

    Ridge regression (penalty `alpha`) on TF-IDF weights of the words that occur at least `min_count` times and
    on indicators of the categories, each a column or several columns together. `fit_transform` predicts each
    training row from the other folds.

    `group` names an id, such as the host's. Then a second column says how far the group's other rows lie above the
    score: (sum of residuals) / (rows + group_smoothing), cross-fitted, missing for an unknown group. In training a
    share `forget` of the groups is treated as unknown, so that the model also learns to predict without it.
    """

    tokens_: str
    idf_: NDArray[np.float64]
    weights_: NDArray[np.float64]
    offset_: float
    group_keys_: NDArray[np.int64]
    group_means_: NDArray[np.float64]

    def __init__(
        self,
        text: str,
        *,
        categories: Sequence[str | Sequence[str]] = (),
        group: str | None = None,
        alpha: float = 1.0,
        min_count: int = 5,
        folds: int = 5,
        group_folds: int = 10,
        group_smoothing: float = 1.0,
        forget: float = 0.0,
        seed: int = 0,
        log_target: bool = False,
    ) -> None:
        self.text = text
        self.categories = categories
        self.group = group
        self.alpha = alpha
        self.min_count = min_count
        self.folds = folds
        self.group_folds = group_folds
        self.group_smoothing = group_smoothing
        self.forget = forget
        self.seed = seed
        self.log_target = log_target

    def _names(self) -> list[str]:
        names = [f"{self.text}_score"]
        return [*names, f"{self.group}_residual"] if self.group else names

    def fit(self, rows: pd.DataFrame, y: Any = None) -> CrossFittedScore:
        self.fit_transform(rows, y)
        return self

    def fit_transform(self, rows: pd.DataFrame, y: Any = None, **_: Any) -> NDArray[np.float64]:
        super().fit(rows, y)
        target = _target(y, log=self.log_target)
        self.offset_ = float(np.mean(target))
        features = self._learn_tokens(rows)
        score = self._cross_fit(features, target)
        if not self.group:
            return score.reshape(-1, 1)
        key = columns.keys(rows, self.group)
        return np.column_stack([score, self._fit_group(key, target - score)])

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        score = self._features(rows) @ self.weights_ + self.offset_
        if not self.group:
            return np.asarray(score).reshape(-1, 1)
        key = columns.keys(rows, self.group)
        place = np.searchsorted(self.group_keys_, key)
        known = np.append(self.group_keys_, -1)[place] == key
        means = np.append(self.group_means_, np.nan)[place]
        return np.column_stack([score, np.where(known, means, np.nan)])

    def _learn_tokens(self, rows: pd.DataFrame) -> csr_array:
        import pyarrow.compute as pc

        text = tokens.words(columns.texts(rows, self.text))
        labels = tokens.categories(rows, self.categories)
        self.tokens_ = tokens.frequent([text[1], *labels], self.min_count)
        known = tokens.vocabulary(self.tokens_)
        found = pc.index_in(text[1], value_set=known).drop_null().to_numpy()
        count = np.bincount(found, minlength=len(known))
        self.idf_ = np.log((1 + len(rows)) / (1 + count)) + 1
        return tokens.matrix(len(rows), known, text, labels, self.idf_)

    def _features(self, rows: pd.DataFrame) -> csr_array:
        text = tokens.words(columns.texts(rows, self.text))
        labels = tokens.categories(rows, self.categories)
        return tokens.matrix(len(rows), tokens.vocabulary(self.tokens_), text, labels, self.idf_)

    def _cross_fit(self, features: csr_array, target: Array) -> NDArray[np.float64]:
        centred = target - self.offset_
        self.weights_ = ridge(features, centred, self.alpha)
        fold = fold_of(len(target), self.folds, self.seed)
        score = np.empty(len(target))
        for part in range(self.folds):
            outside, inside = fold != part, fold == part
            weights = ridge(features[outside], centred[outside], self.alpha, start=self.weights_)
            score[inside] = features[inside] @ weights
        return score + self.offset_

    def _fit_group(self, key: NDArray[np.int64], residual: Array) -> NDArray[np.float64]:
        known, code = np.unique(key, return_inverse=True)
        self.group_keys_, self.group_means_ = known, self._group_means(code, residual, len(known))
        fold = fold_of(len(key), self.group_folds, self.seed + 1)
        forgotten = np.random.default_rng(self.seed + 2).random(len(known)) < self.forget
        made = np.empty(len(key))
        for part in range(self.group_folds):
            outside, inside = fold != part, fold == part
            made[inside] = self._group_means(code[outside], residual[outside], len(known))[code[inside]]
        return np.where(forgotten[code], np.nan, made)

    def _group_means(self, code: Array, residual: Array, size: int) -> NDArray[np.float64]:
        total = np.bincount(code, residual, minlength=size)
        count = np.bincount(code, minlength=size)
        return np.where(count > 0, total / (count + self.group_smoothing), np.nan)


def ridge(
    features: csr_array,
    target: Array,
    alpha: float,
    *,
    start: Array | None = None,
    tolerance: float = 1e-4,
    steps: int = 200,
) -> NDArray[np.float64]:
    """Weights that minimize |features·w − target|² + alpha·|w|², by conjugate gradients on the normal equations.

    Not scikit-learn's: its dot products use BLAS, whose results depend on the number of threads.
    """
    transposed = features.T.tocsr()
    weights = np.zeros(features.shape[1]) if start is None else start.copy()
    residual = transposed @ (target - features @ weights) - alpha * weights
    direction, size = residual.copy(), np.sum(residual * residual)
    goal = tolerance**2 * np.sum((transposed @ target) ** 2)
    for _ in range(steps):
        if size <= goal:
            break
        curved = transposed @ (features @ direction) + alpha * direction
        step = size / np.sum(direction * curved)
        weights += step * direction
        residual -= step * curved
        previous, size = size, np.sum(residual * residual)
        direction = residual + (size / previous) * direction
    return np.asarray(weights)


def _target(y: Any, *, log: bool) -> NDArray[np.float64]:
    if y is None:
        raise ValueError("a block that learns from the target needs y")
    target = np.asarray(y, dtype=np.float64)
    return np.log(target) if log else target


def _positions(labels: Any, known: Any) -> NDArray[np.int64]:
    import pyarrow.compute as pc

    return np.asarray(pc.index_in(labels, value_set=known).to_numpy(zero_copy_only=False), dtype=np.int64)
