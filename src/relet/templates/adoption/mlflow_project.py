"""The steps of an MLflow project become a pipeline, whose components run their scripts as they are."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from relet.errors import BadDataError
from relet.templates.adoption.adopting import Adoption, declaration, pipeline_files, project_root
from relet.templates.adoption.advice import advice
from relet.templates.adoption.arguments import ScriptArgument, identifier
from relet.templates.adoption.driver import DrivenStep, Driver, read_driver
from relet.templates.adoption.file_flow import FileFlow, file_flow
from relet.templates.adoption.script import ReadFile, WrittenFile, own_modules, packages, parsed
from relet.templates.adoption.step import AdoptedStep
from relet.templates.filling import write_files

STEPS = "steps"
FILE = "MLproject"
# A file of a step that is larger is no source, and is not copied.
LARGEST = 1024**2
_PLACE = re.compile(r"\{(\w+)\}")
_KINDS = {"float": "float", "int": "int"}


@dataclass(frozen=True, kw_only=True)
class EntryPoint:
    """An entry point: its folder, what it runs, and its parameters; `words` are the words after the program."""

    name: str
    folder: Path
    program: str
    words: tuple[str, ...]
    parameters: Mapping[str, tuple[str, Any]]

    @property
    def sources(self) -> list[Path]:
        """Its script, or all Python files of its folder where it runs a module."""
        is_module = self.program.startswith("-m ")
        return sorted(self.folder.rglob("*.py")) if is_module else [self.folder / self.program]

    @property
    def trees(self) -> list[ast.Module]:
        return [tree for path in self.sources for tree in parsed(path)]


@dataclass(kw_only=True)
class _Wiring:
    """The artifacts so far: the expression of each file → its artifact, and the files that have to be written."""

    artifacts: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)


def adopt_mlproject(folder: Path, *, name: str | None = None, here: Path | None = None) -> Adoption:
    """Write a pipeline of the steps in a folder: one for each entry point of each MLproject file in it.

    Steps are wired by the program in the folder that calls them: an expression that it gives to two steps is one
    file. Raises BadDataError where the folder has no step, or a file of MLflow that can't be read.
    """
    if not folder.is_dir():
        raise BadDataError(f"{folder}: there is no such folder")
    chosen = name or identifier(folder.resolve().name)[:40]
    root = project_root(chosen, here)
    remarks: list[str] = []
    entries = _in_call_order(list(_entry_points(folder, remarks)), folder)
    driver = read_driver(folder, {each.name: each.parameters for each in entries})
    wiring = _Wiring()
    steps = tuple(_step(entry, driver, wiring) for entry in entries)
    home = f"pipelines/{chosen}"
    title = f"The steps of {folder.resolve().name}, adopted as they are."
    files = {**pipeline_files(chosen, steps, title), **declaration(root, chosen, steps)}
    files |= {f"{home}/{STEPS}/{place}": path.read_bytes() for place, path in _copied(entries).items()}
    files |= {path: json.dumps(driver.documents[text], indent=2) + "\n" for text, path in wiring.documents.items()}
    write_files(root, files)
    told = [f"{entry.name}: {each}" for entry in entries for tree in entry.trees for each in advice(tree)]
    return Adoption(root=root, name=chosen, files=tuple(files), steps=steps, advice=(*remarks, *told))


def _entry_points(folder: Path, remarks: list[str]) -> Iterator[EntryPoint]:
    places = sorted(path for pattern in (FILE, f"*/{FILE}", f"*/*/{FILE}") for path in folder.glob(pattern))
    # The project around steps only says how to start the program that calls them.
    inner = [path for path in places if path.parent != folder] or places
    if not inner:
        raise BadDataError(f"{folder} has no file {FILE}, nor has a folder in it: there is no step to adopt")
    for path in inner:
        try:
            points = yaml.safe_load(path.read_text(encoding="utf-8"))["entry_points"]
            read = {key: (each["command"], each.get("parameters") or {}) for key, each in points.items()}
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise BadDataError(f"{path} can't be read as an MLflow project: {error}") from None
        for key, (command, parameters) in read.items():
            longer = key if len(inner) == 1 else f"{path.parent.name}_{key}"
            own = identifier(path.parent.name if key == "main" else longer)
            program, words = _program(str(command), path.parent)
            if program:
                yield EntryPoint(
                    name=own, folder=path.parent, program=program, words=words, parameters=_parameters(parameters)
                )
            else:
                remarks.append(f"{own}: {command!r} runs no Python; write this step by hand")


def _program(command: str, folder: Path) -> tuple[str, tuple[str, ...]]:
    """What a command runs, a path in the folder or `-m MODULE`, and the words behind it; "" for no Python."""
    first, *words = shlex.split(command) or [""]
    if first == "pytest":
        return "-m pytest", tuple(words)
    if not re.fullmatch(r"python[\d.]*", first) or not words:
        return "", ()
    if words[0] == "-m" and len(words) > 1:
        return f"-m {words[1]}", tuple(words[2:])
    return (words[0], tuple(words[1:])) if (folder / words[0]).is_file() else ("", ())


def _parameters(declared: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """The type and the default of each parameter, as MLflow spells them."""
    return {
        name: (str(said.get("type", "string")), said.get("default"))
        for name, each in declared.items()
        for said in [each if isinstance(each, dict) else {"type": each}]
    }


def _in_call_order(entries: list[EntryPoint], folder: Path) -> list[EntryPoint]:
    """The entry points as the program of the folder calls them; those that it does not call come last."""
    driver = read_driver(folder, {each.name: each.parameters for each in entries})
    order = [call.step for call in driver.calls]
    return sorted(entries, key=lambda each: order.index(each.name) if each.name in order else len(order))


def _step(entry: EntryPoint, driver: Driver, wiring: _Wiring) -> AdoptedStep:
    flow = FileFlow()
    for tree in entry.trees:
        found = file_flow(tree, list(entry.parameters))
        flow.read |= found.read
        flow.written |= found.written
    call = next((each for each in driver.calls if each.step == entry.name), None)
    call = call or DrivenStep(step=entry.name, expressions={}, values={})
    folders = [entry.folder, entry.folder.parent]
    modules = [path for path in own_modules(entry.trees, folders) if path.parent == entry.folder.parent]
    beside = (entry.name, *(path.name for path in modules))
    step = _files_of_step(entry, flow, call, driver, wiring)
    return AdoptedStep(
        name=entry.name,
        folder=STEPS,
        program=entry.program if entry.program.startswith("-m ") else f"{entry.name}/{entry.program}",
        resources=tuple(f"{STEPS}/{each}" for each in beside),
        arguments=tuple(_arguments(entry, call)),
        defaults=_defaults(entry, call),
        packages=packages(entry.trees, folders),
        beside=beside,
        place=entry.name,
        **step,
    )


def _files_of_step(
    entry: EntryPoint, flow: FileFlow, call: DrivenStep, driver: Driver, wiring: _Wiring
) -> dict[str, Any]:
    """Which parameters are artifacts of earlier steps, sources and outputs: fields of the step."""
    written = {place.argument for place in flow.written if place.argument}
    read = {place.argument for place in flow.read if place.argument} - written
    inputs, reads, sources, writes = {}, [], {}, []
    for name, (kind, _) in entry.parameters.items():
        text = call.expressions.get(name, "")
        if text in wiring.artifacts and name not in written:
            inputs[name] = wiring.artifacts[text]
        elif name in written:
            made = _output(entry, name, text, wiring)
            writes.append(made)
        elif name in read or kind in ("path", "uri"):
            reads.append(ReadFile(name=name, argument=name))
            sources[name] = _document_place(text, driver, wiring)
    return {"inputs": inputs, "reads": tuple(reads), "sources": sources, "writes": tuple(writes)}


def _output(entry: EntryPoint, name: str, text: str, wiring: _Wiring) -> WrittenFile:
    """The file that a parameter names: the artifact has the file's name where the driver says that."""
    path = _last_text(text) or name
    artifact = identifier(PurePosixPath(path).stem)
    if artifact in wiring.artifacts.values() or (artifact in entry.parameters and artifact != name):
        artifact = f"{entry.name}_{artifact}"
    if text:
        wiring.artifacts[text] = artifact
    else:
        wiring.artifacts[f"{entry.name} {name}"] = artifact
    return WrittenFile(name=artifact, path=path, argument=name)


def _last_text(expression: str) -> str:
    """The name of the file that an expression ends with: `raw.csv` of `folder + "/raw.csv"`."""
    texts = re.findall(r"['\"]([^'\"]+)['\"]", expression)
    return PurePosixPath(texts[-1].partition(":")[0]).name if texts else ""


def _document_place(text: str, driver: Driver, wiring: _Wiring) -> str | None:
    if text not in driver.documents:
        return None
    wiring.documents[text] = f"data/{_last_text(text) or 'settings.json'}"
    return wiring.documents[text]


def _defaults(entry: EntryPoint, call: DrivenStep) -> dict[str, Any]:
    declared = {name: default for name, (_, default) in entry.parameters.items() if default is not None}
    return {**declared, **call.values}


def _arguments(entry: EntryPoint, call: DrivenStep) -> Iterator[ScriptArgument]:
    """The words of the command as arguments: each parameter behind its option, and words that are always there."""
    defaults = _defaults(entry, call)
    option = ""
    for word in entry.words:
        name = next(iter(_PLACE.findall(word)), "")
        if not name:
            if option:
                yield _fixed(option)
            option = word if word.startswith("-") else ""
            if not option:
                yield _fixed(word)
            continue
        kind = entry.parameters.get(name, ("string", None))[0]
        yield ScriptArgument(
            name=name,
            option=word.partition("=")[0] if "=" in word else option,
            kind=_KINDS.get(kind) or _kind_of(defaults.get(name)),
            required=name not in defaults,
        )
        option = ""
    if option:
        yield _fixed(option)


def _fixed(word: str) -> ScriptArgument:
    return ScriptArgument(name="", option=word, kind="bool", default=True)


def _kind_of(default: Any) -> str:
    return type(default).__name__ if type(default) in (int, float) else "str"


def _copied(entries: Sequence[EntryPoint]) -> dict[str, Path]:
    """Each file of the steps, and the modules beside them: its place below the copy → where it is."""
    found: dict[str, Path] = {}
    for entry in entries:
        for path in sorted(entry.folder.rglob("*")):
            parts = path.relative_to(entry.folder).parts
            if (
                path.is_file()
                and path.stat().st_size <= LARGEST
                and not any(each.startswith((".", "__pyc", "mlruns")) for each in parts)
            ):
                found[f"{entry.name}/{'/'.join(parts)}"] = path
        for path in own_modules(entry.trees, [entry.folder, entry.folder.parent]):
            if path.parent == entry.folder.parent:
                found[path.name] = path
    return found
