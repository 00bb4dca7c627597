"""The six steps of the flagship in one plain pandas script: nothing is tracked, stored by content or made again.

    python bench/plain_script.py LISTINGS.csv

It reads, cleans, checks, splits, trains the reference's random forest and tests it, and writes a table, a pickled
model, a drawing and metrics into the current folder. `bench/trust.py` times a cold run beside it.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import scipy.stats
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

BOROUGHS = {"Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island"}
NUMBERS = [
    "minimum_nights",
    "number_of_reviews",
    "reviews_per_month",
    "calculated_host_listings_count",
    "availability_365",
    "longitude",
    "latitude",
]
FOREST = {
    "n_estimators": 100,
    "max_depth": 15,
    "min_samples_split": 4,
    "min_samples_leaf": 3,
    "criterion": "squared_error",
    "max_features": 0.5,
    "n_jobs": -1,
    "random_state": 42,
}


def cleaned(listings: pd.DataFrame) -> pd.DataFrame:
    kept = listings[listings.price.between(10, 350)]
    return kept[kept.longitude.between(-74.25, -73.5) & kept.latitude.between(40.5, 41.2)].copy()


def check(listings: pd.DataFrame, reference: pd.DataFrame) -> None:
    assert set(listings.neighbourhood_group.unique()) == BOROUGHS
    assert 15_000 < len(listings) < 1_000_000
    counts = [each.neighbourhood_group.value_counts().sort_index() for each in (listings, reference)]
    assert scipy.stats.entropy(*counts, base=2) < 0.2


def days_since(dates: np.ndarray) -> np.ndarray:
    found = pd.DataFrame(dates).apply(pd.to_datetime)
    return found.apply(lambda column: (column.max() - column).dt.days, axis=0).to_numpy()


def forest() -> Pipeline:
    borough = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    reviewed = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="2010-01-01"), FunctionTransformer(days_since)
    )
    title = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=""),
        FunctionTransformer(np.reshape, kw_args={"newshape": -1} if np.__version__ < "2" else {"shape": -1}),
        TfidfVectorizer(max_features=5, stop_words="english"),
    )
    features = ColumnTransformer(
        [
            ("room", OrdinalEncoder(), ["room_type"]),
            ("borough", borough, ["neighbourhood_group"]),
            ("numbers", SimpleImputer(strategy="constant", fill_value=0), NUMBERS),
            ("reviewed", reviewed, ["last_review"]),
            ("title", title, ["name"]),
        ]
    )
    return Pipeline([("features", features), ("forest", RandomForestRegressor(**FOREST))])


def main() -> None:
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    listings = cleaned(pd.read_csv(sys.argv[1]))
    listings[["name", "last_review"]] = listings[["name", "last_review"]].astype(object)
    listings.to_csv("clean_sample.csv", index=False)
    check(listings, listings)
    by = listings.neighbourhood_group
    rest, test = train_test_split(listings, test_size=0.2, random_state=42, stratify=by)
    train, val = train_test_split(rest, test_size=0.2, random_state=42, stratify=rest.neighbourhood_group)
    model = forest().fit(train.drop(columns="price"), train.price)
    errors = {
        name: mean_absolute_error(each.price, model.predict(each.drop(columns="price")))
        for name, each in (("val", val), ("test", test))
    }
    Path("model.pkl").write_bytes(pickle.dumps(model))
    figure, axes = plt.subplots()
    axes.bar(range(len(model["forest"].feature_importances_)), model["forest"].feature_importances_)
    figure.savefig("importance.png")
    Path("metrics.json").write_text(json.dumps(errors))
    print(errors)


if __name__ == "__main__":
    main()
