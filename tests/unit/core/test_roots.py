"""Where a project's own modules lie, as its pyproject.toml says."""

from pathlib import Path

import pytest

from relet.core.roots import import_roots, project_code
from relet.errors import SettingError

DECLARED = {
    "nothing, src is there": ("", ["src"]),
    "setuptools, find": (
        '[tool.setuptools.packages.find]\nwhere = ["python", "other"]',
        ["src", "python", "other"],
    ),
    "setuptools, all packages": ('[tool.setuptools]\npackage-dir = {"" = "python"}', ["src", "python"]),
    "setuptools, one package": ('[tool.setuptools]\npackage-dir = {"a.b" = "python/a/b"}', ["src", "python"]),
    "setuptools, a package of another name": ('[tool.setuptools]\npackage-dir = {"a" = "python"}', ["src"]),
    "hatchling, packages": ('[tool.hatch.build.targets.wheel]\npackages = ["python/mylib"]', ["src", "python"]),
    "hatchling, sources": ('[tool.hatch.build]\nsources = ["python"]', ["src", "python"]),
    "hatchling, sources by name": ('[tool.hatch.build.targets.wheel.sources]\n"python" = ""', ["src", "python"]),
    "uv": ('[tool.uv.build-backend]\nmodule-root = "python"', ["src", "python"]),
    "poetry": (
        '[tool.poetry]\npackages = [{include = "mylib", from = "python"}, {include = "x"}]',
        ["src", "python"],
    ),
    "pdm": ('[tool.pdm.build]\npackage-dir = "python"', ["src", "python"]),
    "the project's own folder": ('[tool.setuptools.packages.find]\nwhere = [".", ""]', ["src"]),
    "a folder twice": ('[tool.uv.build-backend]\nmodule-root = "./src/"', ["src"]),
    "folders outside": ('[tool.setuptools.packages.find]\nwhere = ["..", "/etc", "a/../../b"]', ["src"]),
    "a folder that is not there": ('[tool.pdm.build]\npackage-dir = "nowhere"', ["src"]),
    "values of other types": (
        '[tool]\nsetuptools = 3\nhatch = [1]\npoetry = {packages = [1]}\npdm.build = ""',
        ["src"],
    ),
}


@pytest.mark.parametrize(("declared", "roots"), DECLARED.values(), ids=DECLARED)
def test_a_build_backends_folders_are_import_roots(tmp_path: Path, declared: str, roots: list[str]) -> None:
    for name in ("src", "python", "other"):
        (tmp_path / name).mkdir()
    assert list(import_roots(tmp_path, declared.encode())) == roots


def test_a_project_without_a_declaration_has_its_own_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    code, roots = project_code(tmp_path)
    assert roots == ()
    assert dict(code.contents) == {}


def test_a_module_is_found_in_the_projects_folder_before_its_roots(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    for folder in (tmp_path, tmp_path / "src"):
        folder.mkdir(exist_ok=True)
        (folder / "both.py").touch()
    (tmp_path / "src" / "own.py").touch()
    code, _ = project_code(tmp_path)
    assert (code.find("both"), code.find("own")) == (tmp_path / "both.py", tmp_path / "src" / "own.py")
    assert list(code.contents) == [tmp_path / "pyproject.toml"]


@pytest.mark.parametrize("content", [b"[tool", b"\xff"])
def test_a_declaration_that_is_no_toml_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(SettingError, match=r"pyproject\.toml can't be read: "):
        project_code(tmp_path)


def test_a_declaration_that_nests_too_deep_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"pyproject\.toml can't be read"):
        import_roots(tmp_path, b"a = " + b"[" * 5000)
