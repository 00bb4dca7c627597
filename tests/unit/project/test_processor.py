"""What a record says of the processor."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relet.project.processor import blas_in_use, simd_level, vector_instructions


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ("avx512f avx512bw avx512dq avx512vl avx2 fma avx sse4_2 sse2", "AVX-512"),
        ("avx512f avx2 fma avx sse4_2 sse2", "AVX2"),
        ("avx2 avx sse4_2 sse2", "AVX"),
        ("sse4_2 sse2", "SSE4.2"),
        ("fp asimd sve sve2", "SVE2"),
        ("fp asimd", "NEON"),
        ("fpu", None),
    ],
)
def test_flags_are_reduced_to_the_widest_instructions(flags: str, level: str | None) -> None:
    assert simd_level(flags.split()) == level


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("processor\t: 0\nflags\t\t: sse2 avx\n\nprocessor\t: 1\nflags\t\t: sse2\n", {"SIMD": "AVX"}),
        ("Features\t: fp asimd\n", {"SIMD": "NEON"}),
        ("flags\t\t:\n", {}),
        ("", {}),
    ],
)
def test_the_first_processor_is_read(tmp_path: Path, content: str, told: dict[str, str]) -> None:
    (tmp_path / "cpuinfo").write_text(content)
    assert vector_instructions(tmp_path / "cpuinfo") == told


def test_a_system_that_does_not_tell_its_processor_leaves_it_out(tmp_path: Path) -> None:
    assert vector_instructions(tmp_path / "cpuinfo") == {}


def libraries(monkeypatch: pytest.MonkeyPatch, *found: dict[str, Any]) -> None:
    monkeypatch.setitem(sys.modules, "numpy", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "threadpoolctl", SimpleNamespace(threadpool_info=lambda: list(found)))


def test_each_blas_is_told_once_and_no_other_library(monkeypatch: pytest.MonkeyPatch) -> None:
    openblas = {"user_api": "blas", "internal_api": "openblas", "version": "0.3.30", "architecture": "Haswell"}
    mkl = {"user_api": "blas", "internal_api": "mkl", "version": "2024.1"}
    libraries(monkeypatch, openblas, openblas, mkl, {"user_api": "openmp", "internal_api": "openmp"})
    assert blas_in_use() == {"BLAS": "mkl 2024.1, openblas 0.3.30", "BLAS kernel": "Haswell"}


def test_without_a_blas_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    libraries(monkeypatch)
    assert blas_in_use() == {}
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert blas_in_use() == {}


def test_nothing_is_imported_where_numpy_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    libraries(monkeypatch, {"user_api": "blas", "internal_api": "openblas"})
    monkeypatch.delitem(sys.modules, "numpy")
    assert blas_in_use() == {}


def test_the_blas_of_numpy_is_found() -> None:
    import numpy as np

    assert np.ones(2) @ np.ones(2) == 2
    assert blas_in_use()["BLAS"]
