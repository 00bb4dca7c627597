"""NumPy arrays as `.npy` files whose bytes their shape, type and values decide; nothing in them can execute."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.documents import kind_words
from relet.errors import BadDataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The kinds of NumPy's types that an array may have: booleans, numbers, times, bytes and text of fixed length.
KINDS = "biufcmMSU"


def write_array(value: Any, path: Path) -> None:
    """Write an array in C order and little-endian, whatever its order is in memory: equal arrays, equal bytes.

    Floats keep every bit, the sign of a zero and the kind of a NaN too. Raises BadDataError for what is no plain
    array: an array of objects, a structured or masked one, a type that other machines lack.
    """
    import numpy as np

    array = _plain_array(value)
    kind = np.dtype(array.dtype.newbyteorder("<").str)
    with path.open("wb") as file:
        np.lib.format.write_array(file, np.asarray(array, dtype=kind, order="C"), allow_pickle=False)


def read_array(path: Path) -> NDArray[Any]:
    """Read an array that `write_array` wrote; it may be written to. Raises BadDataError for any other file."""
    import numpy as np

    try:
        found = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError) as error:
        raise BadDataError(f"{path.name} can't be read as an array: {error}") from error
    if not isinstance(found, np.ndarray):
        raise BadDataError(f"{path.name} is no array, but an archive of several")
    return found


def array_outline(stored: Path | bytes) -> dict[str, Any]:
    """The type and the shape of a stored array, from the head of its file.

    >>> import numpy as np, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "array.npy"
    >>> write_array(np.zeros((2, 3)), path)
    >>> array_outline(path)
    {'dtype': 'float64', 'shape': [2, 3]}
    """
    import numpy as np

    with BytesIO(stored) if isinstance(stored, bytes) else stored.open("rb") as file:
        try:
            form = np.lib.format
            is_first = form.read_magic(file) == (1, 0)
            shape, _, dtype = (form.read_array_header_1_0 if is_first else form.read_array_header_2_0)(file)
        except (ValueError, EOFError) as error:
            raise BadDataError(f"the array can't be read: {error}") from error
    return {"dtype": str(dtype), "shape": list(shape)}


def _plain_array(value: Any) -> NDArray[Any]:
    import numpy as np

    if type(value) not in (np.ndarray, np.memmap):
        raise BadDataError(f"an array was expected, got {kind_words(value)}; {_array_advice(value)}")
    dtype: np.dtype[Any] = value.dtype
    if dtype.kind == "O":
        odd = next((each for each in value.flat if not isinstance(each, int | float | complex | str)), None)
        held = f" (a {kind_words(odd)} among them)" if odd is not None else ""
        raise BadDataError(f"the array holds objects{held}; give it a type of numbers or text: .astype(float)")
    if dtype.names is not None:
        raise BadDataError(f"the array has the columns {', '.join(dtype.names)}; return a table instead")
    if dtype.kind not in KINDS or str(dtype) in ("longdouble", "clongdouble") or dtype.itemsize > _widest(dtype):
        raise BadDataError(f"the array is of {dtype}, which other machines may lack; write .astype(…) first")
    return value  # type: ignore[no-any-return]


def _widest(dtype: np.dtype[Any]) -> int:
    """The bytes of the widest number of a kind that every machine has."""
    return {"f": 8, "c": 16}.get(dtype.kind, dtype.itemsize)


def _array_advice(value: Any) -> str:
    if hasattr(value, "mask"):
        return "a mask is not stored: write .filled(…)"
    if hasattr(value, "to_numpy"):
        return "write .to_numpy(), or annotate a table"
    return "write np.asarray(…)"
