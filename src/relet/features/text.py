"""Blocks that read text: numbers found by patterns, and the style of writing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.features import columns
from relet.features.block import Block

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

STYLE = {
    "exclamations": "!",
    "digits": r"\d",
    "signs": r"[^\p{L}\p{N}\s]",
    "foreign": r"[^\x00-\x7F]",
}


def lowered(text: pa.Array) -> pa.Array:
    """Text in lower case, "" where it is missing."""
    import pyarrow.compute as pc

    return pc.utf8_lower(pc.fill_null(text, ""))


class PatternFeatures(Block):
    """The number that each pattern finds in a text column; missing where there is no match.

    A pattern is an RE2 expression on the lower-cased text. Its group `n` is the number, in digits or as one of
    the words in `numerals`; a pattern without that group gives 1 for a match and 0 otherwise.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"name": ["Sunny 2BR studio", "Room"]})
    >>> PatternFeatures("name", {"bedrooms": r"(?P<n>[0-9]+) ?br", "studio": "studio"}).fit_transform(rows)
    array([[ 2.,  1.],
           [nan,  0.]])
    """

    def __init__(
        self, name: str, patterns: Mapping[str, str], *, numerals: Mapping[str, float] | None = None
    ) -> None:
        self.name = name
        self.patterns = patterns
        self.numerals = numerals

    def _names(self) -> list[str]:
        return list(self.patterns)

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        text = lowered(columns.texts(rows, self.name))
        made = np.empty((len(rows), len(self.patterns)))
        for position, pattern in enumerate(self.patterns.values()):
            made[:, position] = self._found(text, pattern) if "(?P<n>" in pattern else _matches(text, pattern)
        return made

    def _found(self, text: pa.Array, pattern: str) -> NDArray[np.float64]:
        import pyarrow.compute as pc

        found = pc.struct_field(pc.extract_regex(text, pattern), "n")
        hits = pc.is_valid(found).to_numpy(zero_copy_only=False)
        values = np.full(len(text), np.nan)
        numerals = self.numerals or {}
        words = found.drop_null().to_pylist()
        values[hits] = [numerals[word] if word in numerals else _number(word) for word in words]
        return values


def _matches(text: pa.Array, pattern: str) -> Any:
    import pyarrow.compute as pc

    return pc.match_substring_regex(text, pattern).to_numpy(zero_copy_only=False)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return np.nan


class TitleStyle(Block):
    """How a title is written: its length, words, share of capitals, exclamation marks, digits, other signs.

    >>> import pandas as pd
    >>> TitleStyle("name").fit_transform(pd.DataFrame({"name": ["WOW! 1 room"]}))[0].round(2).tolist()
    [11.0, 3.0, 0.27, 1.0, 1.0, 1.0, 0.0]
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def _names(self) -> list[str]:
        return [f"{self.name}_{style}" for style in ("length", "words", "capitals", *STYLE)]

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        import pyarrow.compute as pc

        text = pc.fill_null(columns.texts(rows, self.name), "")
        length = pc.utf8_length(text).to_numpy(zero_copy_only=False).astype(np.float64)
        counts = [_count(text, pattern) for pattern in (r"\S+", r"\p{Lu}", *STYLE.values())]
        counts[1] = counts[1] / np.maximum(length, 1)
        return np.column_stack([length, *counts])


def _count(text: pa.Array, pattern: str) -> NDArray[np.float64]:
    import pyarrow.compute as pc

    found = pc.count_substring_regex(text, pattern).to_numpy(zero_copy_only=False)
    return np.asarray(found, dtype=np.float64)


class TextWeights(Block):
    """TF-IDF weights of the most frequent words of a text column, as scikit-learn's vectorizer gives them."""

    def __init__(self, name: str, *, max_features: int, stop_words: str | None = "english") -> None:
        self.name = name
        self.max_features = max_features
        self.stop_words = stop_words

    def fit(self, rows: pd.DataFrame, y: Any = None) -> TextWeights:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.vectorizer_ = TfidfVectorizer(max_features=self.max_features, stop_words=self.stop_words)
        self.vectorizer_.fit(self._texts(rows))
        self._forget_addresses()
        super().fit(rows, y)
        return self

    def _names(self) -> list[str]:
        return [f"{self.name}_{word}" for word in self.vectorizer_.get_feature_names_out()]

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        weights = self.vectorizer_.transform(self._texts(rows)).toarray()
        self._forget_addresses()
        return np.asarray(weights)

    def _texts(self, rows: pd.DataFrame) -> list[str]:
        import pyarrow.compute as pc

        found: list[str] = pc.fill_null(columns.texts(rows, self.name), "").to_pylist()
        return found

    def _forget_addresses(self) -> None:
        """Remove an `id()` that the vectorizer remembers: otherwise the models of two processes would differ by
        it.
        """
        vars(self.vectorizer_).pop("_stop_words_id", None)
