"""NumPy arrays: equal arrays have equal bytes, every bit comes back, and nothing in a file can execute."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from relet.data.arrays import array_outline, read_array, write_array
from relet.errors import BadDataError

TYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    hnp.datetime64_dtypes(endianness="?"),
    hnp.unicode_string_dtypes(endianness="?", max_len=4),
    hnp.byte_string_dtypes(endianness="?", max_len=4),
)
ARRAYS = hnp.arrays(TYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("arrays") / "array.npy"


def stored(array: Any, place: Path) -> bytes:
    write_array(array, place)
    return place.read_bytes()


@given(array=ARRAYS)
def test_every_bit_comes_back_little_endian_and_in_c_order(array: np.ndarray, place: Path) -> None:
    stored(array, place)
    again = read_array(place)
    assert again.shape == array.shape
    assert again.dtype == array.dtype.newbyteorder("<")
    assert again.tobytes() == array.astype(again.dtype).tobytes()
    assert array_outline(place) == {"dtype": str(again.dtype), "shape": list(array.shape)}


@given(array=ARRAYS)
def test_the_order_in_memory_and_of_bytes_does_not_matter(array: np.ndarray, place: Path) -> None:
    first = stored(array, place)
    assert stored(np.asfortranarray(array) if array.ndim else array, place) == first
    assert stored(array.astype(array.dtype.newbyteorder("S")), place) == first
    if array.ndim:
        assert stored(np.repeat(array, 2, axis=0)[::2], place) == first


def test_the_sign_of_a_zero_and_the_type_matter(place: Path) -> None:
    assert stored(np.array([0.0]), place) != stored(np.array([-0.0]), place)
    assert stored(np.array([1], "i4"), place) != stored(np.array([1], "i8"), place)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.array([1, {}], object), r"holds objects \(a dict among them\); give it a type"),
        (np.array([("a", 1)], [("name", "U1"), ("n", "i4")]), "has the columns name, n; return a table"),
        (np.ma.masked_array([1, 2], [0, 1]), r"a mask is not stored: write \.filled"),
        ([1, 2], r"an array was expected, got list; write np\.asarray"),
        (np.float64(1), r"got numpy\.float64"),
        (np.zeros(2, np.longdouble), "which other machines may lack"),
    ],
)
def test_what_is_no_plain_array_is_refused(value: Any, said: str, place: Path) -> None:
    with pytest.raises(BadDataError, match=said):
        write_array(value, place)


def test_a_file_that_holds_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps({}))
    np.savez(tmp_path / "several.npz", a=np.zeros(1))
    (tmp_path / "empty.npy").write_bytes(b"")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(BadDataError, match=r"can't be read as an array|is no array"):
            read_array(path)
    for name in ("pickle.npy", "empty.npy"):
        with pytest.raises(BadDataError, match="the array can't be read"):
            array_outline((tmp_path / name).read_bytes())
