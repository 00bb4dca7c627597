"""Compare NumPy arrays value by value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.arrays import read_array
from relet.evaluation.comparison.numbers import gap_words, is_within, relative_gaps
from relet.evaluation.comparison.outcome import Difference, only_file

if TYPE_CHECKING:
    from numpy.typing import NDArray


def compare_arrays(recorded: Path, reproduced: Path, tolerance: float | None) -> Iterator[Difference]:
    """Compare arrays: the same type and shape, floats and complex numbers by tolerance, all else exactly.

    The bits of two floats are compared: 0.0 and -0.0 differ, by nothing.
    """
    old = read_array(only_file(recorded, "recorded"))
    new = read_array(only_file(reproduced, "reproduced"))
    if old.dtype != new.dtype:
        yield Difference(f"the array holds {new.dtype} instead of {old.dtype}")
    if old.shape != new.shape:
        yield Difference(f"the array has the shape {new.shape} instead of {old.shape}")
    if (old.dtype, old.shape) != (new.dtype, new.shape) or old.tobytes() == new.tobytes():
        return
    if old.dtype.kind in "fc":
        yield _number_difference(old, new, tolerance)
    else:
        count, place = _differing_places(old, new)
        yield Difference(f"{count}, the first at {place}: {old[place]!s} → {new[place]!s}")


def _number_difference(old: NDArray[Any], new: NDArray[Any], tolerance: float | None) -> Difference:
    import numpy as np

    gaps = relative_gaps(_as_floats(old), _as_floats(new))
    if not gaps.any():
        sentence = "only the signs of zeros or the bits of missing numbers differ"
        return Difference(sentence, 0.0, is_within(0.0, tolerance))
    gaps = gaps.reshape(*old.shape, -1).max(axis=-1)
    place = tuple(int(each) for each in np.unravel_index(int(gaps.argmax()), gaps.shape))
    size = float(gaps[place])
    count = f"{int((gaps > 0).sum()):,} of {gaps.size:,} numbers differ"
    shown = f"{old[place]!s} → {new[place]!s} ({gap_words(size)})"
    return Difference(f"{count}, most of all at {list(place)}: {shown}", size, is_within(size, tolerance))


def _as_floats(array: NDArray[Any]) -> NDArray[Any]:
    """The numbers of an array as 64-bit floats; of a complex number both parts."""
    import numpy as np

    if array.dtype.kind == "c":
        array = np.stack((array.real, array.imag), axis=-1)
    return np.atleast_1d(array).astype(np.float64)


def _differing_places(old: NDArray[Any], new: NDArray[Any]) -> tuple[str, tuple[int, ...]]:
    """How many values differ, and where the first one is; a missing time is like another one."""
    import numpy as np

    missing = (np.isnat(old) & np.isnat(new)) if old.dtype.kind in "mM" else np.zeros(old.shape, bool)
    differ = (old != new) & ~missing
    place = tuple(int(each) for each in np.argwhere(differ)[0])
    return f"{int(differ.sum()):,} of {old.size:,} values differ", place
