"""What of a processor decides the last digits of numbers: its vector instructions, and the kernel of BLAS."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path

from relet.core.reproduction import BLAS, BLAS_KERNEL, SIMD

# From wide to narrow, each with the flags of Linux that it takes. OpenBLAS and NumPy choose by these.
_LEVELS = {
    "AVX-512": ("avx512f", "avx512bw", "avx512dq", "avx512vl"),
    "AVX2": ("avx2", "fma"),
    "AVX": ("avx",),
    "SSE4.2": ("sse4_2",),
    "SSE2": ("sse2",),
    "SVE2": ("sve2",),
    "SVE": ("sve",),
    "NEON": ("asimd",),
}


@cache
def vector_instructions(told: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """The widest vector instructions of the first processor; empty where the system does not tell.

    >>> simd_level("fpu sse2 sse4_2 avx avx2 fma".split())
    'AVX2'
    """
    try:
        with told.open(encoding="utf-8", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        return {}
    level = simd_level(flags.partition(":")[2].split())
    return {SIMD: level} if level else {}


def simd_level(flags: Iterable[str]) -> str | None:
    """The widest vector instructions that a processor with these flags has."""
    there = set(flags)
    return next((level for level, needed in _LEVELS.items() if there.issuperset(needed)), None)


def blas_in_use() -> dict[str, str]:
    """The BLAS libraries that this process has loaded, and the kernels that they chose for this processor.

    Empty where NumPy is not loaded, or threadpoolctl not installed: scikit-learn brings it.
    """
    if "numpy" not in sys.modules:
        return {}
    try:
        libraries_in_use = import_module("threadpoolctl").threadpool_info()
    except ImportError:
        return {}
    found = [each for each in libraries_in_use if each.get("user_api") == "blas"]
    libraries = sorted({f"{each['internal_api']} {each.get('version') or ''}".strip() for each in found})
    kernels = sorted({str(each["architecture"]) for each in found if each.get("architecture")})
    told = {BLAS: ", ".join(libraries), BLAS_KERNEL: ", ".join(kernels)}
    return {name: value for name, value in told.items() if value}
