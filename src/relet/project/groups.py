"""Groups of hyperparameters as instances of their classes: for a call, and to check values at composition."""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from relet.core.component import Component
from relet.core.parameter import ParameterGroup
from relet.errors import ReletError, SettingError, SignatureError
from relet.project import known_code
from relet.project.folder import Project
from relet.project.importing import CodePlace, FirstPartyFinder, import_code, importing


def with_groups(component: Component, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a component's function is called with: each group as an instance of its class, from flat values.

    The modules that define the classes have to be imported.
    """
    names = {each.name: each for each in component.parameters}
    given = {name: names[name].argument(value) for name, value in arguments.items() if "." not in name}
    return given | {group.name: instance(group, arguments) for group in component.groups_with(arguments)}


def instance(group: ParameterGroup, values: Mapping[str, Any]) -> Any:
    """A group as its class has it, from flat values; raises what its `__post_init__` raises."""
    nested = {each.field: instance(each, values) for each in group.nested}
    made = getattr(sys.modules[group.module], group.type, None)
    if made is None:
        raise SignatureError(f"{group.module} has no {group.type} once it is imported; define it at the top level")
    return made(**group.arguments(values), **nested)


def check_groups(
    project: Project,
    component: Component,
    values: Mapping[str, Any],
    origins: Mapping[str, str],
) -> None:
    """Raise SettingError for values of a component's groups that their classes refuse (`__post_init__`).

    `origins` gives the settings that values came from. A class is asked once for the same values and the same
    code; one whose module lacks a library here is asked when the component is called. Raises SignatureError, with
    the line, for a module that raises when it is imported.
    """
    for group in component.groups_with(values):
        code: dict[str, str] = {}
        for module in group.modules:
            code |= project.code.closure(module).modules
        held = {each.name: values[each.name] for each in group.parameters}
        text = json.dumps([group.module, group.type, held, sorted(code.items())], sort_keys=True)
        digest = sha256(text.encode()).hexdigest()
        if known_code.is_accepted(digest):
            continue
        with importing(FirstPartyFinder(*planned_code(project, code), code)):
            if not _is_importable(group, project.root):
                continue
            _check_instance(component, group, values, origins)
        known_code.accept(digest)


def _is_importable(group: ParameterGroup, root: Path) -> bool:
    """Import a group's modules; False where one lacks a library here."""
    try:
        import_code(group.modules)
    except ImportError:
        return False
    except ReletError:
        raise
    # SystemExit, too: no module of a project decides how relet ends
    except (Exception, SystemExit) as error:
        raise _import_error(group, root, error) from error
    return True


def planned_code(project: Project, code: Mapping[str, str]) -> tuple[CodePlace, dict[str, str]]:
    """The project's own folder as the place of these modules, each as it was when the project was read."""
    paths = {
        name: path for name in code if (path := project.code.find(name)) and path.is_relative_to(project.root)
    }
    modules = {
        name: path.relative_to(project.root).as_posix()
        for name, path in paths.items()
        if name.partition(".")[0] != "relet"
    }
    digests = {relative: project.code.file_digest(paths[name]) for name, relative in modules.items()}
    root = project.root
    place = CodePlace(folder=root, home=root, digests=digests, modules=modules, roots=project.roots)
    return place, modules


def _check_instance(
    component: Component, group: ParameterGroup, values: Mapping[str, Any], origins: Mapping[str, str]
) -> None:
    for each in group.nested:
        _check_instance(component, each, values, origins)
    try:
        instance(group, values)
    except SignatureError:
        raise
    except ReletError as error:
        raise _refusal(component, group, origins, str(error)) from error
    except SystemExit as error:
        raise _refusal(component, group, origins, f"{group.type} raises SystemExit: {error}") from error
    except Exception as error:
        told = str(error) or type(error).__name__
        raise _refusal(component, group, origins, told) from error


def _import_error(group: ParameterGroup, root: Path, error: BaseException) -> SignatureError:
    """What a module raised when it was imported, with the last line of the project's code that led to it."""
    lines = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    own = [(path, line) for path, line in lines if path.is_relative_to(root)]
    path, line = (own or lines)[-1]
    told = f"{type(error).__name__}: {error}".removesuffix(": ")
    return SignatureError(f"{path}, line {line}: {group.module} can't be imported for its {group.type}: {told}")


def _refusal(component: Component, group: ParameterGroup, origins: Mapping[str, str], told: str) -> SettingError:
    """What a class says of its fields, under the setting of the field that it names first."""
    settings = {
        name: origins.get(full, f"{component.name}.{full}") for name, full in _names_in_class(group).items()
    }
    told = told.removeprefix(f"{group.field}: ")
    named = next((word for word in re.findall(r"\w+(?:\.\w+)*", told) if word in settings), None)
    if named is None:
        return SettingError(f"{component.name}.{group.name}: {told}")
    if re.match(rf"{re.escape(named)}\b", told):
        return SettingError(f"{settings[named]}{told[len(named) :]}")
    return SettingError(f"{settings[named]}: {told}")


def _names_in_class(group: ParameterGroup) -> dict[str, str]:
    """What a class may call a field → the parameter: its own by their names, one of a nested class by its path.

    The last name alone stands for a nested field where no other has it.
    """
    own = {each.field: each.name for each in group.own}
    paths = {each.name.removeprefix(f"{group.name}."): each.name for each in group.parameters}
    last: dict[str, list[str]] = {}
    for path, name in paths.items():
        last.setdefault(path.rpartition(".")[2], []).append(name)
    return {field: names[0] for field, names in last.items() if len(names) == 1} | paths | own
