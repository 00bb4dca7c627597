"""The listings, explored: a marimo notebook.

`relet eda nyc_rentals` opens it in the browser, `relet eda nyc_rentals --html` stores what it shows. Its three
tables are a batch of listings, what cleaning keeps of it, and what leaves.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Listings, explored")

with app.setup(hide_code=True):
    from pathlib import Path

    import marimo as mo
    import numpy as np
    import pandas as pd

    import relet
    from relet.data.table import read_table
    from relet.report.bars import bars
    from relet.report.charts.categories import grouped_bars
    from relet.report.charts.distribution import histogram, outside_note
    from relet.report.charts.grids import MapCell, heat_map, matrix
    from relet.report.elements import charts, paragraph, scroll_box, table
    from relet.report.markup import NOTHING, PageMarkup, element
    from relet.report.wording import count, number, share, shorten

    NUMBERS = [
        "price",
        "minimum_nights",
        "number_of_reviews",
        "reviews_per_month",
        "calculated_host_listings_count",
        "availability_365",
        "latitude",
        "longitude",
    ]
    EVERYWHERE = "all boroughs"
    # A median of fewer listings than this says little of a neighbourhood, or of a cell of the map (in degrees).
    ENOUGH, ENOUGH_IN_CELL, CELL = 30, 5, 0.01


@app.function(hide_code=True)
def part(title: str, *html: PageMarkup) -> mo.Html:
    """A section: its heading, and below it findings, drawings and tables."""
    heading = element("h2", title) if title else NOTHING
    return mo.Html(element("div", heading, *html, class_="markdown prose dark:prose-invert"))


@app.function(hide_code=True)
def beside(html: list[PageMarkup]) -> PageMarkup:
    """Drawings and tables side by side, as many as there is room for; in marimo too, which has no style for it."""
    grid = "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:14px 28px"
    return charts(html).replace("<div", PageMarkup(f'<div style="{grid}"'), 1)


@app.function(hide_code=True)
def sheet(columns: list[str], rows: list[list[object]], width: int = 26) -> PageMarkup:
    """A table that scrolls where it has less room than `width` letters or so, rather than break its words."""
    wide = PageMarkup(f'<table style="min-width:{width}rem"')
    return table(columns, rows).replace("<table", wide, 1)


@app.function(hide_code=True)
def numbers(column: pd.Series) -> pd.Series:
    """A column as plain floats, missing ones as NaN."""
    return column.astype("float64")


@app.function(hide_code=True)
def bin_shares(values: pd.Series, edges: np.ndarray) -> list[float]:
    """The share of all values that lies in each bin."""
    counts, _ = np.histogram(numbers(values).dropna(), edges)
    return (counts / max(len(values), 1)).tolist()


@app.function(hide_code=True)
def ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0


@app.function(hide_code=True)
def dollars(price: float) -> str:
    return f"{number(float(price))} dollars"


@app.cell(hide_code=True)
def inputs():
    # `relet eda` says which versions are looked at; where nothing does, it is the latest.
    _given = mo.cli_args().to_dict()
    _paths = {
        name: relet.load(str(_given.get(name, name)), as_="path")
        for name in ("sample", "clean_sample", "quarantine")
    }
    sample, clean_sample, quarantine = _paths.values()
    return clean_sample, quarantine, sample


@app.cell(hide_code=True)
def tables(clean_sample, quarantine, sample):
    listings, kept, left = (read_table(Path(each), "pandas") for each in (sample, clean_sample, quarantine))
    return kept, left, listings


@app.cell(hide_code=True)
def title(kept, listings):
    mo.md(f"""
    # Listings, explored

    {count(len(listings), "listing")} by {count(listings["host_id"].nunique(), "host")} in
    {count(listings["neighbourhood"].nunique(), "neighbourhood")} of
    {count(listings["neighbourhood_group"].nunique(), "borough")};
    cleaning keeps {number(len(kept))} of them ({share(ratio(len(kept), len(listings)))}).
    """)
    return


@app.cell(hide_code=True)
def types(listings):
    def _kind(column):
        if pd.api.types.is_datetime64_any_dtype(column):
            return "date"
        if pd.api.types.is_integer_dtype(column):
            return "whole number"
        return "number" if pd.api.types.is_numeric_dtype(column) else "text"

    def _values(column, kind):
        """What a column holds, in a few words: its most frequent texts, or from where to where it goes."""
        if column.isna().all():
            return None
        if kind == "text":
            often = column.value_counts().sort_index().sort_values(ascending=False, kind="stable").head(2)
            return ", ".join(f"{shorten(text, 32)} ({number(int(rows))})" for text, rows in often.items())
        low, middle, high = (
            f"{each:%Y-%m-%d}" if kind == "date" else f"{each:,.10g}".replace("-", "−")
            for each in (column.min(), column.quantile(0.5, interpolation="lower"), column.max())
        )
        return f"{low} to {high}, median {middle}"

    _kinds = {name: _kind(listings[name]) for name in listings}
    _columns = [
        [name, kind, share(float(listings[name].isna().mean())), listings[name].nunique()]
        for name, kind in _kinds.items()
    ]
    _keys = [name for name, _, _, distinct in _columns if distinct == len(listings)]
    _counts = pd.Series(_kinds).value_counts().sort_index()
    _found = ", ".join(f"{number(int(columns))} × {kind}" for kind, columns in _counts.items())
    part(
        "Columns and their types",
        paragraph(
            f"{count(len(_columns), 'column')}: {_found}. Different in every row: {', '.join(_keys) or 'none'}."
        ),
        sheet(
            ["column", "type", "missing", "distinct", "values"],
            [[*row, _values(listings[row[0]], row[1])] for row in _columns],
            width=50,
        ),
    )
    return


@app.cell(hide_code=True)
def missing(listings):
    _absent = listings.isna()
    _shares = _absent.mean()
    _some = [name for name in listings if _shares[name] > 0]
    _never = (numbers(listings["number_of_reviews"]) == 0).to_numpy()

    def _why(names):
        """What the rows in which these are missing have in common."""
        rows = _absent[names[0]].to_numpy()
        said = (
            f"{' and '.join(names)} are missing in the same {count(int(rows.sum()), 'row')} ({share(rows.mean())})"
        )
        if (rows == _never).all():
            return f"{said}: exactly those without a review. They are not unknown, there is nothing to know."
        return f"{said}; {share(float(_never[rows].mean()))} of these have no review."

    _same: dict[bytes, list[str]] = {}
    for _name in _some:
        _same.setdefault(_absent[_name].to_numpy().tobytes(), []).append(_name)
    _alone = [names[0] for names in _same.values() if len(names) == 1]
    _rows = ", ".join(f"{name} ({number(int(_absent[name].sum()))})" for name in _alone)
    _patterns = _absent[_some].value_counts().head(8) if _some else {}
    _together = [
        [
            ", ".join(name for name, gone in zip(_some, pattern, strict=True) if gone) or "nothing",
            int(rows),
            share(rows / len(listings)),
        ]
        for pattern, rows in _patterns.items()
    ]
    part(
        "Missing values",
        paragraph(f"{count(len(_some), 'column')} of {number(len(listings.columns))} ever lack a value."),
        *(paragraph(_why(names)) for names in _same.values() if len(names) > 1),
        paragraph(f"Missing on their own, in so many rows: {_rows}.") if _alone else "",
        beside(
            [
                bars(dict(_shares[_some]), title="Rows without a value"),
                sheet(["missing together", "rows", "share"], _together, width=21),
            ]
        )
        if _some
        else "",
    )
    return


@app.cell(hide_code=True)
def bounds(kept):
    mo.stop(
        kept.empty,
        part("Clean listings", paragraph("Cleaning kept none: there is no more to see.", "verdict odd")),
    )
    clean = kept
    # What cleaning kept says where its bounds lie.
    low, high = (float(numbers(clean["price"]).agg(end)) for end in ("min", "max"))
    return clean, high, low


@app.cell(hide_code=True)
def outliers(high, listings, low):
    _price = numbers(listings["price"])
    _above, _below = _price > high, _price < low
    _squares = (_price - _price.mean()) ** 2
    _never = numbers(listings["number_of_reviews"]) == 0
    _unpaid = share(float(_never[_above].mean())), share(float(_never[~_above].mean()))
    _dollars = share(ratio(_price[_above].sum(), _price.sum()))
    _variance = share(ratio(_squares[_above].sum(), _squares.sum()))
    _logs = np.log10(_price[_price > 0])
    _skews = [number(round(each.skew(), 2)) for each in (_price, _logs, _price[~_above & ~_below])]
    _edges = np.linspace(np.floor(_logs.min() * 10) / 10, np.ceil(_logs.max() * 10) / 10, 41)
    _near = np.linspace(0, 2 * high, 41)
    _shown = ["price", "room_type", "neighbourhood", "minimum_nights", "number_of_reviews", "availability_365"]
    _highest = listings.sort_values(["price", "id"], ascending=[False, True]).head(8)
    part(
        "Prices, and where they end",
        paragraph(
            f"Cleaning keeps {number(low)} to {dollars(high)} a night. {share(float(_above.mean()))} of the "
            f"listings ({number(int(_above.sum()))}) cost more and {number(int(_below.sum()))} less, down to "
            f"{dollars(_price.min())}; half of all cost at most {dollars(_price.median())}."
        ),
        paragraph(
            f"Those above ask for {_dollars} of all dollars and make {_variance} of the variance: squared errors "
            f"would be theirs above all. {_unpaid[0]} of them were never reviewed, of the others {_unpaid[1]}. A "
            "price without a review is one that perhaps nobody has paid."
        )
        if _above.any()
        else paragraph("No listing costs more than cleaning keeps."),
        paragraph(
            f"The skewness of all prices is {_skews[0]}, that of their logarithms {_skews[1]}, and that of the "
            f"prices that are kept {_skews[2]}; a normal distribution has 0."
        ),
        beside(
            [
                histogram(
                    {"all": bin_shares(_price, _near)},
                    _near.tolist(),
                    title="Price a night",
                    unit="dollars",
                    note=outside_note(0, int((_price > _near[-1]).sum()), "", number(_price.max())),
                ),
                histogram(
                    {"all": bin_shares(_logs, _edges)},
                    _edges.tolist(),
                    title="The same on a scale of logarithms",
                    unit="dollars",
                    label=lambda at: f"{10**at:,.0f}",
                ),
            ]
        ),
        element("h3", "The highest"),
        sheet(
            [name.replace("_", " ") for name in _shown],
            _highest[_shown].astype(object).to_numpy().tolist(),
            width=40,
        ),
    )
    return


@app.cell(hide_code=True)
def by_place(clean):
    def _named(medians):
        return ", ".join(f"{name} ({number(float(price))})" for name, price in medians.items())

    _places = clean.groupby("neighbourhood")["price"].agg(["median", "size"]).query(f"size >= {ENOUGH}")
    _medians = _places["median"].sort_index().sort_values(ascending=False, kind="stable")
    _quartiles = clean.groupby("neighbourhood_group")["price"].quantile([0.25, 0.5, 0.75]).unstack()
    _sizes = clean["neighbourhood_group"].value_counts()
    part(
        "Prices by place",
        paragraph(
            f"By the median price of clean listings, of {count(len(_medians), 'neighbourhood')} with {ENOUGH} or "
            f"more the dearest are {_named(_medians.head(4))}, the cheapest {_named(_medians.tail(4)[::-1])}."
        )
        if len(_medians) > 1
        else paragraph(f"Fewer than two neighbourhoods have {ENOUGH} clean listings."),
        sheet(
            ["borough", "listings", "lower quartile", "median", "upper quartile"],
            [[name, int(_sizes[name]), *map(float, prices)] for name, *prices in _quartiles.itertuples()],
        ),
    )
    return


@app.cell(hide_code=True)
def selectors(clean, high, low):
    borough = mo.ui.dropdown(
        [EVERYWHERE, *sorted(clean["neighbourhood_group"].dropna().unique())], value=EVERYWHERE, label="Borough"
    )
    prices = mo.ui.range_slider(low, high, value=[low, high], label="Dollars a night", show_value=True)
    mo.hstack([borough, prices], justify="start", gap=2)
    return borough, prices


@app.cell(hide_code=True)
def price_map(borough, clean, prices):
    _chosen = clean[numbers(clean["price"]).between(*prices.value)]
    if borough.value != EVERYWHERE:
        _chosen = _chosen[_chosen["neighbourhood_group"] == borough.value]
    _placed = _chosen.dropna(subset=["longitude", "latitude"])
    _west, _south = (np.floor(numbers(_placed[name]) / CELL) for name in ("longitude", "latitude"))
    _medians = numbers(_placed["price"]).groupby([_west, _south]).agg(["median", "size"])
    _cells = [
        MapCell(longitude=west * CELL, latitude=south * CELL, value=float(median), rows=int(size))
        for (west, south), median, size in _medians.itertuples()
        if size >= ENOUGH_IN_CELL
    ]
    _from, _to = prices.value
    _edges = np.linspace(_from, max(_to, _from + 1), 41)
    _share = {borough.value: bin_shares(_chosen["price"], _edges)}
    part(
        "",
        paragraph(
            f"{count(len(_chosen), 'listing')} in {borough.value} from {number(_from)} to {dollars(_to)}, median "
            f"{dollars(_chosen['price'].median())}. A cell of the map is {CELL:g}° wide and high and stands for "
            f"{ENOUGH_IN_CELL} listings or more."
        )
        if len(_chosen)
        else paragraph(f"There is no listing in {borough.value} at such prices."),
        beside(
            [
                heat_map(
                    _cells, title="Median price", width=CELL, height=CELL, unit="dollars", value_name="median"
                ),
                histogram(_share, _edges.tolist(), title="Price a night", unit="dollars"),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def room_types(clean):
    _shares = pd.crosstab(clean["neighbourhood_group"], clean["room_type"], normalize="index")
    _medians = clean.pivot_table(
        index="neighbourhood_group", columns="room_type", values="price", aggfunc="median"
    )
    _overall = clean.groupby("room_type")["price"].median().sort_values(ascending=False, kind="stable")
    _named = [f"{kind.lower()} ({number(float(price))})" for kind, price in _overall.items()]
    _most = ", ".join(
        f"{place} ({kind.lower()}, {share(float(_shares.loc[place, kind]))})"
        for kind, place in _shares.idxmax().items()
    )
    part(
        "Room types by borough",
        paragraph(
            f"Median dollars a night: {', '.join(_named)}. The first costs "
            f"{number(round(float(_overall.iloc[0] / _overall.iloc[-1]), 1))} times the last."
        ),
        paragraph(f"Each type has its highest share in {_most}."),
        beside(
            [
                grouped_bars(_shares.to_dict("index"), title="Share of each room type"),
                element("figcaption", "Median price, in dollars a night")
                + sheet(
                    ["borough", *_medians.columns],
                    [
                        [place, *(None if pd.isna(price) else float(price) for price in row)]
                        for place, *row in _medians.itertuples()
                    ],
                ),
            ]
        ),
    )
    return


@app.function(hide_code=True)
def leaked_share(sizes: pd.Series, test_size: float) -> float:
    """The share of a random test split's rows that are expected to have their host in training too.

    None of the n - 1 other listings of a host is in training with a probability of test_size ** (n - 1), as far
    as rows fall independently.
    """
    return float((sizes * (1 - test_size ** (sizes - 1))).sum() / sizes.sum())


@app.cell(hide_code=True)
def hosts(clean):
    _sizes = clean["host_id"].value_counts()
    _largest = _sizes.head(max(1, round(len(_sizes) / 100)))
    _classes = pd.cut(_sizes, [0, 1, 2, 5, 10, 50, np.inf], labels=["1", "2", "3–5", "6–10", "11–50", "over 50"])
    # The logarithm's spread within hosts: squares around each host's own mean, over rows less hosts.
    _logs = np.log(numbers(clean["price"]).where(lambda price: price > 0))
    _squares = ((_logs - _logs.groupby(clean["host_id"]).transform("mean")) ** 2).sum()
    _within = np.sqrt(_squares / max(len(clean) - len(_sizes), 1))
    _spreads = number(round(_within, 2)), number(round(_logs.std(), 2))
    part(
        "Hosts with many listings",
        paragraph(
            f"{share(float((_sizes == 1).mean()))} of {count(len(_sizes), 'host')} have one listing. The largest "
            f"1% ({count(len(_largest), 'host')}) hold {share(float(_largest.sum() / len(clean)))} of the rows, "
            f"and the largest of all {number(int(_sizes.max()))}."
        ),
        paragraph(
            f"In a random split with a fifth for the test, {share(leaked_share(_sizes, 0.2))} of the test rows "
            "have "
            f"their host in training too. The logarithm of a price spreads by {_spreads[0]} within one host's "
            f"listings and by {_spreads[1]} among all: the closer the first is to 0, the more a model gains by "
            "remembering hosts, and the better it looks than it is on hosts that are new. segregation=by_host "
            "keeps them apart."
        )
        if len(_sizes) < len(clean)
        else paragraph("No host has two: a random split leaks none."),
        beside(
            [
                bars(
                    _classes.value_counts(normalize=True).sort_index().to_dict(), title="Hosts by their listings"
                ),
                bars(
                    (_sizes.groupby(_classes, observed=False).sum() / len(clean)).to_dict(),
                    title="Listings by how many their host has",
                ),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def cleaning(kept, left, listings):
    _before, _after = (numbers(frame["price"]) for frame in (listings, kept))
    _measures = {
        "listings": len,
        "mean price": pd.Series.mean,
        "median price": pd.Series.median,
        "standard deviation": pd.Series.std,
        "99% cost at most": lambda price: price.quantile(0.99),
        "highest price": pd.Series.max,
    }
    _reasons = left["reason"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    _why = ",".join(f" {number(int(rows))} for “{reason}”" for reason, rows in _reasons.items())
    _why = f":{_why}" if _why else ""

    def _beside(name):
        before, after = (frame[name].value_counts(normalize=True).sort_index() for frame in (listings, kept))
        return {
            kind: {"before": float(before[kind]), "after": float(after.get(kind, 0.0))} for kind in before.index
        }

    _types = (
        left["room_type"].value_counts(normalize=True).sort_index().sort_values(ascending=False, kind="stable")
    )
    _same = (listings["room_type"] == _types.index[0]).mean() if len(_types) else 0.0
    part(
        "What cleaning changed",
        paragraph(
            f"These tables do not belong together: {number(len(listings))} rows came, {number(len(kept))} stayed "
            f"and {number(len(left))} left.",
            "verdict odd",
        )
        if len(listings) != len(kept) + len(left)
        else "",
        paragraph(f"{count(len(left), 'row')} ({share(ratio(len(left), len(listings)))}) left{_why}."),
        paragraph(
            f"{share(float(_types.iloc[0]))} of them are of the type {_types.index[0].lower()}, of all listings "
            f"{share(float(_same))}."
        )
        if len(_types)
        else "",
        paragraph(
            f"The mean price goes from {number(round(_before.mean(), 1))} to {dollars(round(_after.mean(), 1))}, "
            f"the median from {number(float(_before.median()))} to {dollars(_after.median())}."
        ),
        sheet(
            ["price, in dollars", "before", "after"],
            [[words, float(measure(_before)), float(measure(_after))] for words, measure in _measures.items()],
            width=20,
        ),
        beside(
            [
                grouped_bars(_beside("room_type"), title="Room types"),
                grouped_bars(_beside("neighbourhood_group"), title="Boroughs"),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def reviews(clean):
    _nights, _stays, _reviews = (
        numbers(clean[name]) for name in ("availability_365", "minimum_nights", "number_of_reviews")
    )
    _closed = _nights == 0
    _last = pd.to_datetime(clean["last_review"])
    _ago = (_last.max() - _last).dt.days
    _edges, _most = np.linspace(0, 366, 38), np.linspace(0, max(_reviews.quantile(0.99), 1), 38)
    part(
        "Reviews and availability",
        paragraph(
            f"{share(float(_closed.mean()))} of the clean listings have no free night in the year ahead. Their "
            f"last review is {number(_ago[_closed].median())} days older than the newest of all, in the median, "
            f"that of the others {number(_ago[~_closed].median())}: the older, the less the price is one of today."
        )
        if _ago.notna().any()
        else paragraph("No listing has a review."),
        paragraph(
            f"{share(float((_reviews == 0).mean()))} were never reviewed, and a tenth has "
            f"{number(float(_reviews.quantile(0.9)))} reviews or more. {share(float((_stays >= 30).mean()))} are "
            f"let for 30 nights or more at a time; the longest minimum is {count(int(_stays.max()), 'night')}."
        ),
        beside(
            [
                histogram(
                    {"clean": bin_shares(_nights, _edges)}, _edges.tolist(), title="Free nights in the year ahead"
                ),
                histogram(
                    {"clean": bin_shares(_reviews, _most)},
                    _most.tolist(),
                    title="Number of reviews",
                    note=outside_note(0, int((_reviews > _most[-1]).sum()), "", number(_reviews.max())),
                ),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def correlations(clean):
    _ranks = clean[NUMBERS].astype("float64").corr(method="spearman").to_numpy()
    _pairs = [
        (NUMBERS[one], NUMBERS[other], float(_ranks[one, other]))
        for one in range(len(NUMBERS))
        for other in range(one)
        if np.isfinite(_ranks[one, other])
    ]
    _pairs.sort(key=lambda pair: (-abs(pair[2]), pair))
    _priced = [pair for pair in _pairs if "price" in pair[:2]]

    def _said(pair):
        return f"{pair[1].replace('_', ' ')} and {pair[0].replace('_', ' ')} ({number(round(pair[2], 2))})"

    _values = [[None if np.isnan(each) else float(each) for each in row] for row in _ranks]
    part(
        "Correlations",
        paragraph(
            f"By rank (Spearman) the closest are {_said(_pairs[0])}; with the price, {_said(_priced[0])}. Of the "
            f"variance of the price's ranks that explains {share(_priced[0][2] ** 2)}."
        )
        if _priced
        else paragraph("There are too few different numbers to correlate."),
        scroll_box(matrix(_values, [name.replace("_", " ") for name in NUMBERS], title="Rank correlations")),
    )
    return


if __name__ == "__main__":
    app.run()
