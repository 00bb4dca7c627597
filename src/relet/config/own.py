"""relet's own settings, which no component sees; and what all the other keys of a pipeline feed."""

from __future__ import annotations

from importlib.util import find_spec
from types import NoneType

from relet.core.parameter import Parameter
from relet.core.pipeline import Pipeline
from relet.core.wiring import Wiring, wire
from relet.data.download import MAX_BYTES, RATE, TIMEOUT

OWN = {
    "main.experiment_name": Parameter(name="experiment_name", annotation="str", types=(str,)),
    "main.seed": Parameter(name="seed", annotation="int", types=(int,), default=42),
    "main.evaluate": Parameter(name="evaluate", annotation="bool", types=(bool,), default=False),
    # The fields of `FetchLimits`.
    "main.download_max_bytes": Parameter(
        name="download_max_bytes", annotation="int", types=(int,), default=MAX_BYTES
    ),
    "main.download_timeout": Parameter(
        name="download_timeout", annotation="float", types=(float,), default=TIMEOUT
    ),
    "main.download_rate": Parameter(name="download_rate", annotation="float", types=(float,), default=RATE),
    "store.url": Parameter(name="url", annotation="str", types=(str,), default=".relet"),
    "tracking": Parameter(
        name="tracking",
        annotation="list",
        types=(list, str, NoneType),
        default=["mlflow"] if find_spec("mlflow") else [],
    ),
    "search.metric": Parameter(name="metric", annotation="str", types=(str,), default="mae"),
    "search.direction": Parameter(
        name="direction",
        annotation="str",
        types=(str, NoneType),
        default=None,
        choices=("minimize", "maximize"),
    ),
    "search.trials": Parameter(name="trials", annotation="int", types=(int,), default=40),
    "search.batch": Parameter(name="batch", annotation="int", types=(int,), default=8),
    "search.seed": Parameter(name="seed", annotation="int", types=(int,), default=42),
    "search.prune": Parameter(name="prune", annotation="bool", types=(bool,), default=True),
    "search.space": Parameter(name="space", annotation="dict", types=(dict,), default={}),
}
# The seed of a run is the seed of every component that takes one.
SHARED_WITH_COMPONENTS = ("main.seed",)


def wiring_of(pipeline: Pipeline) -> Wiring:
    """What each key feeds in a pipeline; of relet's own only the seed feeds anything by its name."""
    return wire(pipeline.components, pipeline.rows, OWN.keys() - {*SHARED_WITH_COMPONENTS})


def takes_text(wiring: Wiring, key: str) -> bool:
    """Whether a setting takes text: what Hydra can't read there is the text."""
    if key in OWN:
        return OWN[key].types == (str,)
    fed = wiring.reach(key).fed
    return bool(fed) and all(str in each.parameter.types for each in fed)
