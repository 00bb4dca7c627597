"""Houses and their prices, and a model of them that says more than an estimate."""

import numpy as np
import pandas as pd

COLUMNS = ["size", "nights", "ignored", "place"]


def houses(size: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "id": np.arange(size) + 1000 * seed,
            "size": random.uniform(20, 120, size),
            "nights": random.integers(1, 30, size),
            "ignored": random.normal(size=size),
            "place": random.choice(["north", "south"], size),
        }
    )
    rows["price"] = (rows["size"] + 20) * np.exp(random.normal(0, 0.2, size))
    return rows
