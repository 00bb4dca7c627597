"""TF-IDF of one text column, as scikit-learn computes it, without what differs between two processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from relet.features import columns
from relet.features.block import Block

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.feature_extraction.text import TfidfVectorizer


class Tfidf(Block):
    """TF-IDF of the `max_features` most frequent words of a column; a missing text is empty.

    The fitted state is the vocabulary and its weights alone: a fitted `TfidfVectorizer` also holds an address.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"name": ["cozy room", "cozy loft", None]})
    >>> Tfidf("name", max_features=1).fit_transform(rows).ravel().tolist()
    [1.0, 1.0, 0.0]
    """

    idf_: NDArray[np.float64]

    def __init__(self, name: str, *, max_features: int = 5, stop_words: str | None = "english") -> None:
        self.name = name
        self.max_features = max_features
        self.stop_words = stop_words

    def fit(self, rows: pd.DataFrame, y: Any = None) -> Tfidf:  # noqa: ARG002
        vectorizer = self._vectorizer(max_features=self.max_features)
        vectorizer.fit(self._texts(rows))
        self.names_ = [str(word) for word in vectorizer.get_feature_names_out()]
        self.idf_ = np.asarray(vectorizer.idf_)
        return self

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        vectorizer = self._vectorizer(vocabulary={word: place for place, word in enumerate(self.names_)})
        vectorizer.idf_ = self.idf_
        return np.asarray(vectorizer.transform(self._texts(rows)).toarray())

    def _texts(self, rows: pd.DataFrame) -> list[str]:
        return [text or "" for text in columns.texts(rows, self.name).to_pylist()]

    def _vectorizer(self, **settings: Any) -> TfidfVectorizer:
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(stop_words=self.stop_words, **settings)
