"""The conditions that a check of determinism changes: what a component could depend on without saying so."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module

from relet.engine.interpreter import NEEDED

_DAY = 86400
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_FEWER_FEATURES = "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4"
_USER = ("USER", "LOGNAME", "LNAME", "USERNAME")


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """One changed condition: `changes` to the environment variables, and `options` of the worker.

    `bare` removes all variables but those that a process needs and those that other disturbances change. `files`
    says what is other about the project's files: the "path" of its code, the working "folder", or "alone": only
    what the code tree holds is there. `scratch` names the call's folder for temporary files. `beside` are
    disturbances that an effect of this one is measured beside. `own` says that a check can't set the condition
    as it was in the run, so that it explains a difference to the run.
    """

    name: str
    changes: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    bare: bool = False
    files: str = ""
    scratch: str = ""
    beside: tuple[Disturbance, ...] = ()
    own: bool = False


_PATH = Disturbance(name="the project's path", files="path", own=True)
_FOLDER = Disturbance(name="the working folder", files="folder")
# Only where those are not enough: a component that waits for a moment would wait for ever.
STILL = Disturbance(name="a clock that stands still", options=("--stop-clock",))
# The other conditions that are held, each changed.
CHANGED = (
    Disturbance(name="a random generator without a seed", options=("--seed-generators", "2"), own=True),
    Disturbance(name="the folder for temporary files", scratch="other", own=True),
)
# A set of two words has the same order under half of the hash seeds: one seed more may tell nothing.
MORE_SEEDS = tuple(
    Disturbance(name="the hash seed", changes={"PYTHONHASHSEED": seed}, own=True) for seed in "345678"
)


def held() -> tuple[Disturbance, ...]:
    """The conditions that differ in every process, set."""
    seed = os.environ.get("PYTHONHASHSEED", "random").replace("random", "0")
    return (
        Disturbance(
            name="what differs in every process",
            changes={"PYTHONHASHSEED": seed},
            options=("--seed-generators", "1"),
            scratch="held",
        ),
    )


def disturbances() -> tuple[Disturbance, ...]:
    """The changed conditions of the second run. The search for a cause applies each alone."""
    return (*_of_the_process(), *_of_its_place())


def _of_the_process() -> tuple[Disturbance, ...]:
    """What a process is started with, or meets while it runs."""
    one = _processors() > 1
    hash_seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    return (
        Disturbance(name="the environment", bare=True),
        Disturbance(name="the time zone", changes={"TZ": "LINT-14"}),
        Disturbance(name="the language", changes={"LANG": "C", "LC_ALL": "C", "LANGUAGE": "C"}),
        Disturbance(name="the hash seed", changes={"PYTHONHASHSEED": hash_seed}, own=True),
        Disturbance(name="the number of threads", changes=dict.fromkeys(_THREADS, "1" if one else "2")),
        Disturbance(name="the number of processors", options=("--processors", "1" if one else "2")),
        *_other_kernels(),
        Disturbance(name="the clock", options=("--shift-clock", str(400.3 * _DAY)), own=True),
        Disturbance(name="the network", options=("--no-network",)),
    )


def _of_its_place() -> tuple[Disturbance, ...]:
    """The user, the machine and the folders that a process runs in."""
    umask = "022" if _umask() == 0o077 else "077"
    return (
        Disturbance(name="the umask", options=("--umask", umask)),
        Disturbance(
            name="the host name", changes={"HOSTNAME": "other-host"}, options=("--host-name", "other-host")
        ),
        Disturbance(
            name="the user name", changes=dict.fromkeys(_USER, "somebody"), options=("--user-name", "somebody")
        ),
        Disturbance(name="the order of a folder's files", options=("--turn-listings",)),
        _PATH,
        _FOLDER,
        Disturbance(name="files of the project that nothing declares", files="alone", beside=(_PATH, _FOLDER)),
    )


def variables_of(disturbed: Sequence[Disturbance], usual: Mapping[str, str], home: str) -> dict[str, str]:
    """The environment of a process; `usual` is the undisturbed one, `home` the home folder of a bare one."""
    variables = dict(usual)
    if any(each.bare for each in disturbed):
        kept = {*NEEDED, *(name for each in disturbances() for name in each.changes)}
        variables = {name: value for name, value in variables.items() if name in kept} | {"HOME": home}
    for each in disturbed:
        variables |= each.changes
    return variables


def options_of(disturbed: Iterable[Disturbance]) -> list[str]:
    """The options of the worker."""
    return [option for each in disturbed for option in each.options]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


def _other_kernels() -> tuple[Disturbance, ...]:
    """The kernels of another processor than this one, for the libraries that choose them by a variable.

    Each x86 processor of 64 bits runs them.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return ()
    changes = {
        "OPENBLAS_CORETYPE": "Nehalem" if os.environ.get("OPENBLAS_CORETYPE") == "Prescott" else "Prescott",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "ATEN_CPU_CAPABILITY": "default",
        "ARROW_USER_SIMD_LEVEL": "NONE",
        "GLIBC_TUNABLES": ":".join(filter(None, (os.environ.get("GLIBC_TUNABLES"), _FEWER_FEATURES))),
    }
    if features := _numpy_features():
        changes["NPY_DISABLE_CPU_FEATURES"] = " ".join(features)
    return (Disturbance(name="the CPU kernels", changes=changes),)


def _numpy_features() -> list[str]:
    """What NumPy may be told not to use; it warns about any other name."""
    for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        with suppress(ImportError, AttributeError):
            numpy = import_module(name)
            return [each for each in numpy.__cpu_dispatch__ if numpy.__cpu_features__.get(each)]
    return []
