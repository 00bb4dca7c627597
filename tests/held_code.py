"""What the key of a small component holds of the code that it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from relet.core.code import FirstPartyCode
from relet.core.reach import CodeStart, reached_code


def held(folder: Path, modules: Mapping[str, str], *, start: str = "steps", **more: object) -> dict[str, str]:
    """What the key of the function `main` in `steps` holds of some modules, written to a folder."""
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    begin = CodeStart(modules=(start,), words={"main"}, **more)  # type: ignore[arg-type]
    return dict(reached_code(FirstPartyCode((folder,)), begin).modules)


def functions(folder: Path, source: str, **others: str) -> list[str]:
    """The functions of `steps` that its key holds; [""] where it holds the module as it is."""
    found = held(folder, {"steps": source, **others})
    if not found["steps"].startswith("rest "):
        return [""]
    return [each.removeprefix("steps:") for each in found if each.startswith("steps:")]
