"""The parts of a component's key that its source decides: modules, packages and resources."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from relet.core.component import Component
from relet.core.installed import Distributions
from relet.core.naming import dotted_names
from relet.core.normal_form import tree_digest
from relet.core.reach import CodeStart, reached_code
from relet.core.record import KeyParts
from relet.errors import WiringError
from relet.project.folder import Project

_PASSED_OVER = frozenset(("__pycache__", ".pytest_cache", ".ipynb_checkpoints"))
# The kinds of resources that may name functions for a library that looks them up.
_NAMING = frozenset((".cfg", ".ini", ".ipynb", ".json", ".toml", ".yaml", ".yml"))
_WORD = re.compile(r"\w+")


def code_parts(
    project: Project, components: Iterable[Component], parameters: Mapping[str, Mapping[str, Any]]
) -> dict[str, KeyParts]:
    """For each component the parts of its key that its source decides; parameters and inputs are left empty.

    `parameters` are those of each component: a module that one of them names is part of the component's code.
    Raises WiringError for a resource that does not exist.
    """
    installed = installed_for(project)
    return {
        each.name: _component_parts(project, each, installed, parameters.get(each.name, {})) for each in components
    }


def installed_for(project: Project) -> Distributions:
    """What is installed, read once for this state of the project's code."""
    return project.code.once("installed", lambda: Distributions.installed())


def code_files(project: Project, parts: KeyParts) -> frozenset[str]:
    """The files that a component's code and resources lie in, relative to the project's folder."""
    paths = [path for module in parts.code if (path := project.code.find(module))]
    paths += [project.folder / name for name in parts.resources]
    return _project_files(project, paths)


def pipeline_files(project: Project) -> frozenset[str]:
    """The files that the pipeline is read from, whichever of its components run."""
    paths = [project.folder / "pipeline.py", *project.conf.rglob("*")]
    paths += [component.path for component in project.pipeline.components]
    # The locks of components that have environments of their own: `uv:locks/torch.lock`.
    places = (component.environment or "" for component in project.pipeline.components)
    paths += [project.root / place.partition(":")[2] for place in places if ":" in place]
    return _project_files(project, paths)


def _project_files(project: Project, paths: Iterable[Path]) -> frozenset[str]:
    inside = (path for path in paths if path.is_relative_to(project.root) and path.is_file())
    return frozenset(path.relative_to(project.root).as_posix() for path in inside)


def _component_parts(
    project: Project, component: Component, installed: Distributions, parameters: Mapping[str, Any]
) -> KeyParts:
    resources = dict(_resources(project, component))
    texts = list(_texts_of_values(project, parameters, resources.values()))
    start = CodeStart(
        modules=(component.module, *component.modules(parameters), *project.code.hiding),
        words={component.function_name, *(word for text in texts for word in _WORD.findall(text))},
        texts=[name for text in texts for name in dotted_names(text)],
        scripts=tuple(_module_of(project, path) for path in resources.values() if path.suffix == ".py"),
        is_whole=_whole_modules(project),
    )
    reached = reached_code(project.code, start)
    return KeyParts(
        component=component.identity,
        code=reached.modules,
        packages=installed.closure(reached.third_party),
        resources={name: _resource_digest(project, path) for name, path in sorted(resources.items())},
    )


def _resources(project: Project, component: Component) -> Iterator[tuple[str, Path]]:
    for resource in component.resources:
        path = project.folder / resource
        if Path(resource).is_absolute():
            raise WiringError(
                f"{component.name} declares the resource {resource!r}, which no other machine has; give it by a "
                "parameter that is a Source, or put it into the project and name it from the pipeline's folder"
            )
        if not path.exists():
            raise WiringError(f"{component.name} declares the resource {resource!r}, but {path} is not there")
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and not _PASSED_OVER & set(file.parts) and not file.name.startswith("."):
                yield file.relative_to(project.folder).as_posix(), file


def _module_of(project: Project, path: Path) -> str:
    """What a resource that is Python would be called as a module."""
    return ".".join(path.relative_to(project.root).with_suffix("").parts)


def _texts_of_values(project: Project, parameters: Mapping[str, Any], resources: Iterable[Path]) -> Iterator[str]:
    """The texts of a component's parameters and of its resources that may name code."""
    yield repr(dict(parameters))
    for path in resources:
        if path.suffix in _NAMING:
            yield project.code.content(path).decode(errors="replace")


def _whole_modules(project: Project) -> Callable[[str], bool]:
    """Which modules count as they are: those with classes that models may hold.

    A model holds the digests of these modules and of all that they import, and is not loaded where one differs.
    """
    path = project.root / "pyproject.toml"
    if not path.is_file() or b"trust" not in project.code.content(path):
        return lambda module: False
    from relet.archives.own_code import OwnCode

    return OwnCode(root=project.root, declaration=path, code=project.code, imported=import_module).may_trust


def _resource_digest(project: Project, path: Path) -> str:
    if path.suffix == ".py":
        return tree_digest(project.code.tree(path))
    return project.code.file_digest(path)
