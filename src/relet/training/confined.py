"""The program in which `relet.training.quarantine` tries a model: `python -m relet.training.confined FOLDER …`.

It bounds itself, imports the libraries, lets an audit hook refuse what no model needs, and loads the model. It
says on its output whether the model was loaded, or why not.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relet.archives.own_code import OwnCode

# How many bytes of addresses libraries reserve and never use.
RESERVED = 2**32
# The largest file: CatBoost takes a model from an unnamed one in memory. The hook refuses all that have a name.
LARGEST_FILE = 2**28
# What the hook refuses, beside files: the beginnings of Python's audit events.
_REFUSED = (
    "ftplib.",
    "http.",
    "os.chmod",
    "os.chown",
    "os.exec",
    "os.fork",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.spawn",
    "os.startfile",
    "os.symlink",
    "os.system",
    "os.truncate",
    "pty.spawn",
    "shutil.",
    "smtplib.",
    "socket.",
    "subprocess.Popen",
    "urllib.",
    "webbrowser.open",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _bound(seconds: float, memory: int, answer: int) -> None:
    """Bound this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    bounds = {
        resource.RLIMIT_DATA: memory,
        # libraries reserve addresses that they never use
        resource.RLIMIT_AS: memory + RESERVED,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: max(1, round(seconds)),
        resource.RLIMIT_FSIZE: max(answer, LARGEST_FILE),
        resource.RLIMIT_NOFILE: 256,
    }
    for which, most in bounds.items():
        hard = resource.getrlimit(which)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(which, (least, least))
        except (OSError, ValueError):
            # macOS takes no bound of the address space
            continue


def _import_libraries() -> None:
    """Import what loading needs, before the hook watches."""
    import joblib  # type: ignore[import-untyped]
    import pandas  # noqa: F401
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401
    import sklearn.ensemble
    import sklearn.pipeline  # noqa: F401

    import relet.data.table
    import relet.training.model  # noqa: F401

    # it starts a program the first time
    joblib.cpu_count(only_physical_cores=True)


def _import_extras(about: Mapping[str, Any]) -> None:
    """Import the packages of extras that a model needs, before the hook watches."""
    from relet.archives.making import EXTRAS

    named = about.get("packages", ())
    for package in EXTRAS:
        # where it is missing, loading says so
        if any(str(name).startswith(package) for name in named):
            with suppress(ImportError):
                import_module(package)


def _own_code(project: str, about: Mapping[str, Any]) -> OwnCode | None:
    """The code of the project that the model is loaded in, read and imported as far as the model may need it.

    From then on, nothing of the project is opened.
    """
    from relet.archives.own_code import OwnCode
    from relet.archives.own_modules import ProjectModules
    from relet.core.code import FirstPartyCode

    if not project:
        return None
    said = json.loads(project)
    code = FirstPartyCode(tuple(map(Path, said["places"])))
    own = OwnCode(
        root=Path(said["root"]),
        declaration=Path(said["declaration"]),
        code=code,
        imported=ProjectModules(code).imported,
    )
    named = about.get("code", ())
    own.import_ahead(each for each in named if isinstance(each, str))
    return own


def _about(folder: Path) -> Mapping[str, Any]:
    """What the model says that it needs; nothing where its files are no model's, which loading says."""
    from relet.errors import ModelError
    from relet.training.model_files import check_about, read_model_files

    try:
        about = read_model_files(folder).about
        check_about(about, folder.name)
    except ModelError:
        return {}
    return about


def _watch(folder: Path) -> list[str]:
    """Refuse from now on what no model needs. What was tried is in the list that is returned."""
    tried: list[str] = []
    readable = tuple(_readable_folders(folder))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            refused = _refused_file(arguments, readable)
        else:
            refused = event if event.startswith(_REFUSED) else ""
        if refused:
            tried.append(refused[:200])
            raise PermissionError(f"a model may not: {refused[:200]}")

    sys.addaudithook(hook)
    return tried


def _readable_folders(folder: Path) -> Iterator[str]:
    """The folders whose files a model may make this process read: its own, Python's, and the system's clock."""
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix, *filter(None, sys.path)}
    for each in (str(folder), *python, "/usr/share/zoneinfo", "/sys/devices/system/cpu", "/sys/fs/cgroup"):
        yield f"{os.path.realpath(each).rstrip(os.sep)}{os.sep}"


def _refused_file(arguments: tuple[Any, ...], readable: tuple[str, ...]) -> str:
    path, mode, flags = arguments
    if isinstance(path, int):
        return ""
    name = os.path.realpath(os.fsdecode(path))
    if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & _WRITING):
        return f"write {name}"
    inside = name.startswith(readable) or (name.startswith("/proc/") and "/fd/" not in name)
    return "" if inside or name == os.devnull else f"open {name}"


def _main(folder: Path, seconds: float, memory: int, answer: int, project: str = "") -> None:
    _bound(seconds, memory, answer)
    _import_libraries()
    from relet.archives.own_code import own_code_in_effect
    from relet.training.model import load_model

    about = _about(folder)
    _import_extras(about)
    own = _own_code(project, about)
    tried = _watch(folder)
    refused = ""
    try:
        with own_code_in_effect(own):
            load_model(folder)
    except MemoryError:
        refused = f"it needs more than {memory} bytes of memory"
    except Exception as error:
        refused = str(error)
        if isinstance(error.__cause__, MemoryError):
            refused = f"it needs more than {memory} bytes of memory"
    if tried:
        refused = f"it tried what no model needs: {tried[0]}"
    sys.stdout.write(json.dumps({"refused": refused[:2000]} if refused else {"loaded": True}))
    sys.stdout.flush()
    # nothing of the model runs at the end of the process
    os._exit(1 if refused else 0)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
