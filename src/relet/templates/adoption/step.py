"""The component that runs a script: its source, and its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from relet.templates.adoption.arguments import ScriptArgument
from relet.templates.adoption.script import ReadFile, WrittenFile
from relet.templates.filling import filled
from relet.templates.literals import python_literal, yaml_value

_WHY = "  the script's: its version is part of the key"
_WHY = "  the script's: its version is part of the key"
_MUTABLE = "  # noqa: B006"
_INDENT = "            "
# The longest line of what is written.
_WIDTH = 105


@dataclass(frozen=True, kw_only=True)
class AdoptedStep:
    """A script as a component. `folder` is where its files lie in the pipeline's folder, `program` what is run: a
    path in it, or `-m MODULE`. `inputs` maps arguments to the artifacts of earlier steps, `sources` the settings
    that name files to their values (None: to be set). A step without outputs gives a verdict on its inputs.
    """

    name: str
    folder: str
    program: str
    resources: tuple[str, ...]
    arguments: tuple[ScriptArgument, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[ReadFile, ...] = ()
    sources: Mapping[str, str | None] = field(default_factory=dict)
    writes: tuple[WrittenFile, ...] = ()
    folders: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    place: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_judged(self) -> bool:
        return not self.writes

    @property
    def hyperparameters(self) -> tuple[ScriptArgument, ...]:
        # A word that always stands in the command has no name.
        files = {
            *self.inputs,
            *(each.argument for each in self.reads),
            *(each.argument for each in self.writes),
            "",
        }
        return tuple(each for each in self.arguments if each.name not in files)

    @property
    def to_be_set(self) -> tuple[str, ...]:
        """The hyperparameters that nobody gave a value."""
        asked = (each.name for each in self.hyperparameters if each.required)
        return tuple(each for each in asked if each not in self.defaults)


def component_source(step: AdoptedStep) -> str:
    """The source of the component."""
    class_name = f"{''.join(part.capitalize() for part in step.name.split('_'))}Made"
    done = f"{step.name}_report"
    uses = [*(["Source"] if step.reads else []), *(["Verdict"] if step.is_judged else []), "component"]
    returned = [f'{each.name}=ended.files["{each.name}"]' for each in step.writes]
    script = step.program.removeprefix("-m ")
    return filled(
        "adopted/component.py",
        {
            "title": f"The script {script}, which runs as it is.",
            "typing_names": ", ".join(sorted(_typing_names(step))),
            "package_imports": "".join(f"import {each}  # noqa: F401{_WHY}\n" for each in step.packages),
            "relet_names": ", ".join(uses),
            "folder": step.folder,
            "class_name": class_name,
            "fields": "\n".join(f"    {each.name}: Path" for each in step.writes) or f"    {done}: Verdict",
            "component": step.name,
            "decorator": _decorator(step),
            "signature": _signature(step, class_name),
            "summary": f"Run {script}; its arguments are hyperparameters, its files artifacts.",
            "program": python_literal(script) if step.program.startswith("-m ") else _program(step),
            "arguments": _in_lines("{", list(_argument_lines(step)), "}", _INDENT),
            "option_lines": "\n".join(_option_lines(step)),
            "returned": _returned(class_name, returned or [f'{done}=ended.verdict("{script}")']),
        },
    )


def _typing_names(step: AdoptedStep) -> Iterator[str]:
    yield "NamedTuple"
    if step.reads:
        yield "Annotated"
    if any(map(_choice, step.hyperparameters)):
        yield "Literal"


def _decorator(step: AdoptedStep) -> str:
    words = [f"job_type={python_literal(step.name)}", f"resources={_in_one_line(step.resources)}"]
    if step.is_judged and step.inputs:
        words.append(f"judges={_in_one_line(tuple(dict.fromkeys(step.inputs.values())))}")
    line = f"@component({', '.join(words)})"
    return line if len(line) <= _WIDTH else _in_lines("@component(", [f"{each}," for each in words], ")", "    ")


def _in_one_line(words: tuple[str, ...]) -> str:
    return f"({', '.join(map(python_literal, words))}{',' if len(words) == 1 else ''})"


def _signature(step: AdoptedStep, class_name: str) -> str:
    parameters = list(_parameters(step))
    line = f"def {step.name}({', '.join(parameters)}) -> {class_name}:"
    if len(line) <= _WIDTH and " = [" not in line:
        return line
    lines = [f"{each},{_MUTABLE if ' = [' in each else ''}" for each in parameters]
    return _in_lines(f"def {step.name}(", lines, f") -> {class_name}:", "    ")


def _returned(class_name: str, values: list[str]) -> str:
    line = f"    return {class_name}({', '.join(values)})"
    if len(line) <= _WIDTH:
        return line
    return "    " + _in_lines(f"return {class_name}(", [f"{each}," for each in values], ")", "        ")


def _in_lines(before: str, lines: list[str], after: str, indent: str) -> str:
    """Each in a line of its own, between brackets; nothing between them where there is none."""
    inside = "".join(f"\n{indent}{line}" for line in lines)
    return f"{before}{inside}\n{indent[:-4]}{after}" if lines else f"{before}{after}"


def _program(step: AdoptedStep) -> str:
    return f"SCRIPT / {python_literal(step.program)}"


def _parameters(step: AdoptedStep) -> Iterator[str]:
    for artifact in dict.fromkeys(step.inputs.values()):
        yield f"{artifact}: Path"
    keyword_only = [
        *(f"{each.name}: Annotated[str, Source()]" for each in step.reads),
        *(_hyperparameter(each, step.defaults) for each in step.hyperparameters),
    ]
    if keyword_only:
        yield "*"
    yield from keyword_only


def _hyperparameter(argument: ScriptArgument, defaults: Mapping[str, Any]) -> str:
    plain = _choice(argument) or argument.kind
    kind = f"list[{plain}]" if argument.is_list else plain
    default = defaults.get(argument.name, argument.default)
    if argument.name not in defaults and default is None:
        return f"{argument.name}: {kind}" if argument.required else f"{argument.name}: {kind} | None = None"
    if argument.kind == "float" and isinstance(default, int) and not isinstance(default, bool):
        default = float(default)
    if isinstance(default, list | tuple):
        return f"{argument.name}: {kind} = [{', '.join(map(python_literal, default))}]"
    return f"{argument.name}: {kind} = {python_literal(str(default) if argument.kind == 'str' else default)}"


def _choice(argument: ScriptArgument) -> str:
    """The annotation of an argument that takes some values alone; "" where it takes any, or nobody can say."""
    held = {"str": str, "int": int}.get(argument.kind)
    if not argument.choices or held is None or not all(type(each) is held for each in argument.choices):
        return ""
    return f"Literal[{', '.join(map(python_literal, argument.choices))}]"


def _argument_lines(step: AdoptedStep) -> Iterator[str]:
    """The lines of the dictionary that maps options to values, in the script's own order."""
    written = {each.argument: each.path for each in step.writes}
    for each in step.arguments:
        key = python_literal(each.option or each.name)
        if not each.name:
            yield f"{key}: {True if each.option.startswith('-') else key},"
            continue
        if each.name in step.inputs:
            value = step.inputs[each.name]
        elif each.name in written:
            value = python_literal(written[each.name])
        elif each.flag is not None:
            value = each.name if each.flag else f"not {each.name}"
        else:
            value = each.name
        yield f"{key}: {value},"


def _option_lines(step: AdoptedStep) -> Iterator[str]:
    reads = [f"{python_literal(each.literal)}: {each.name}" for each in step.reads if each.literal]
    writes = [f"{python_literal(each.name)}: {python_literal(each.path)}" for each in step.writes]
    if reads:
        yield f"        reads={{{', '.join(reads)}}},"
    if writes:
        yield f"        writes={{{', '.join(writes)}}},"
    if step.folders:
        yield f"        folders=[{', '.join(map(python_literal, step.folders))}],"
    if step.beside:
        listed = ", ".join(f"SCRIPT / {python_literal(each)}" for each in step.beside)
        yield f"        beside=[{listed}],"
        yield f"        folder={python_literal(step.place)},"
    if step.is_judged:
        yield "        check=False,"


def settings_section(step: AdoptedStep) -> str:
    """The component's section of `conf/config.yaml`: the files that it reads, and what has to be set."""
    lines = [
        f"  {name}: {yaml_value(value) if value is not None else '???   # a path or an http(s) URL'}"
        for name, value in step.sources.items()
    ]
    helps = {each.name: each.help for each in step.hyperparameters}
    lines += [f"  {name}: ???   # {helps[name] or 'the script asks for it'}" for name in step.to_be_set]
    return "\n".join([f"\n{step.name}:", *lines]) if lines else ""
