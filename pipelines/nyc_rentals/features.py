"""What the families see of a listing, the reference aside: the same signals for trees and, scaled, for lines."""

from __future__ import annotations

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from pipelines.nyc_rentals.columns import NUMBERS
from relet.features.encoding import CrossFittedScore, CrossFittedTargetEncoder
from relet.features.numeric import Combinations, DaysSince, Logarithms, Numbers
from relet.features.scaling import Scaled
from relet.features.text import PatternFeatures, TitleStyle

NUMERALS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0}
_N = r"(?P<n>[0-9]+(?:\.5)?|one|two|three|four|five|six)[\s\-]*"
# What hosts write in a title, on its lower-case text.
PATTERNS = {
    "bedrooms": _N + r"(?:bed ?rooms?|bedrms?|bdr?ms?|brs?\b|bds?\b|bdrs?\b|b/r|bed apt|bed duplex)",
    "beds": _N + r"(?:queen |king |full |double |twin )?beds?\b",
    "baths": _N + r"(?:full |private )?(?:bath|ba\b|bth)",
    "sleeps": r"(?:sleeps|slps|up to|for) *(?:up to )?(?P<n>[0-9]+|two|three|four|five|six)",
    "guests": _N + r"(?:guest|people|person|ppl|adults)",
    "square_feet": r"(?P<n>[0-9]{3,4})[\s\-]*(?:sq|sf)",
    "minutes_away": r"(?P<n>[0-9]+) ?(?:\-[0-9]+)? ?(?:min|mns)",
    "blocks_away": _N + r"(?:block|stop)",
    "studio": r"\bstudio",
}
# Manhattan's grid is turned by about 29 degrees: both diagonals let a tree cut along it.
DIAGONALS = {
    "north_east": {"latitude": 1.0, "longitude": 1.0},
    "north_west": {"latitude": 1.0, "longitude": -1.0},
}
# Counts and days, most of them small and a few huge: a line sees their logarithms.
COUNTS = [
    "minimum_nights",
    "number_of_reviews",
    "reviews_per_month",
    "calculated_host_listings_count",
    "availability_365",
]


def for_trees(*, seed: int) -> ColumnTransformer:
    """Numbers as they are, missing values as missing, categories as numbers: a tree takes all of it.

    The title enters by a cross-fitted score of all its words.
    """
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return ColumnTransformer(
        [
            ("categories", ordinal, ["room_type", "neighbourhood_group"]),
            ("numbers", Numbers(NUMBERS), NUMBERS),
            ("diagonals", Combinations(DIAGONALS), ["latitude", "longitude"]),
            ("reviewed", DaysSince("last_review"), ["last_review"]),
            *_learned_features(seed),
        ],
        verbose_feature_names_out=False,
    )


def for_lines(*, seed: int) -> Pipeline:
    """The same signals with indicators, logarithms, no gaps and one scale: for what adds up weighted features."""
    indicators = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [
            ("categories", indicators, ["room_type", "neighbourhood_group"]),
            ("counts", Logarithms(COUNTS), COUNTS),
            ("place", Numbers(["latitude", "longitude"]), ["latitude", "longitude"]),
            ("diagonals", Combinations(DIAGONALS), ["latitude", "longitude"]),
            ("reviewed", DaysSince("last_review"), ["last_review"]),
            *_learned_features(seed),
        ],
        verbose_feature_names_out=False,
    )
    return Pipeline([("columns", columns), ("scaled", Scaled())])


def _learned_features(seed: int) -> list[tuple[str, object, list[str]]]:
    """What the title says and how, and what place and title say of the price."""
    # alpha, min_count and group_folds were chosen on validation rows
    score = CrossFittedScore(
        "name",
        categories=["neighbourhood", "room_type", ["neighbourhood", "room_type"]],
        group="host_id",
        alpha=3.0,
        min_count=2,
        group_folds=20,
        seed=seed,
        log_target=True,
    )
    neighbourhood = CrossFittedTargetEncoder(["neighbourhood"], seed=seed, log_target=True)
    return [
        ("says", PatternFeatures("name", PATTERNS, numerals=NUMERALS), ["name"]),
        ("style", TitleStyle("name"), ["name"]),
        ("score", score, ["name", "neighbourhood", "room_type", "host_id"]),
        ("neighbourhood", neighbourhood, ["neighbourhood"]),
    ]
