"""Groups of hyperparameters, read from the source of the frozen dataclasses that they are."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from relet.core.accepted import AcceptedType, only_choices
from relet.core.annotation import PLAIN, accepted_types, default_literal, is_plain
from relet.core.code import FirstPartyCode
from relet.core.parameter import ChosenGroup, Parameter, ParameterGroup
from relet.core.source import ParsedModule, read_mark, split_annotation
from relet.errors import SettingError, SignatureError

_FACTORIES: dict[str, type] = {"list": list, "dict": dict, "tuple": tuple}


def read_parameter(
    source: ParsedModule, name: str, annotation: ast.expr | None, default: ast.expr | None, at: ast.AST
) -> Parameter | ParameterGroup | ChosenGroup:
    """A hyperparameter from its annotation and its default; a chosen group comes without its options.

    Raises SignatureError with file and line for what can be none.
    """
    inner, marks = split_annotation(source, annotation)
    if inner is None:
        raise source.error(at, f"the parameter {name} has no annotation")
    if chosen_by := read_mark(source, marks, "ChosenBy"):
        if default is not None:
            raise source.error(at, f"the parameter {name} has a default; the group that is chosen has its own")
        return ChosenGroup(name=name, **vars(chosen_by))
    if not is_plain(source, inner):
        return _group_with_default(source, name, inner, default, at).placed(name)
    return _plain_parameter(source, name, inner, marks, default, at)


def _plain_parameter(
    source: ParsedModule,
    name: str,
    inner: ast.expr,
    marks: list[ast.Call],
    default: ast.expr | None,
    at: ast.AST,
) -> Parameter:
    mark, module = read_mark(source, marks, "Source"), read_mark(source, marks, "Module")
    accepted = accepted_types(source, name, inner, at)
    if module:
        modules = AcceptedType(kind=str, choices=tuple(_modules_of(source, name, module.package, at)))
        accepted = (modules, *(each for each in accepted if each.kind is not str))
    parameter = Parameter(
        name=name,
        annotation=ast.unparse(inner),
        types=tuple(dict.fromkeys(each.kind for each in accepted)),
        members=accepted,
        default=_default_value(source, name, default) if default else None,
        required=default is None,
        choices=only_choices(accepted),
        source=mark,
        module=module,
    )
    if default is None:
        return parameter
    try:
        return replace(parameter, default=parameter.check(parameter.default, "its default"))
    except SettingError as error:
        raise source.error(at, f"the parameter {name}: {error}") from None


def _default_value(source: ParsedModule, name: str, default: ast.expr) -> Any:
    """A default that is a literal, or `field(default=…)` or `field(default_factory=list)` of a dataclass."""
    if not (isinstance(default, ast.Call) and source.dotted(default.func) == "dataclasses.field"):
        return default_literal(source, default, f"the default of {name}")
    given = {keyword.arg: keyword.value for keyword in default.keywords}
    if "default" in given:
        return default_literal(source, given["default"], f"the default of {name}")
    factory = ast.unparse(given["default_factory"])
    if factory not in _FACTORIES:
        known = ", ".join(_FACTORIES)
        raise source.error(default, f"the default_factory of {name} must be one of {known}, got {factory}")
    return _FACTORIES[factory]()


def _modules_of(source: ParsedModule, name: str, package: str, at: ast.AST) -> list[str]:
    """The modules of a first-party package, by their own names; those that start with _ are no one's choice."""
    folder = source.code.find(package)
    if folder is not None and folder.name == "__init__.py":
        folder = folder.parent
    found = sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []
    names = [path.stem for path in found if path.suffix == ".py" or (path / "__init__.py").is_file()]
    if known := [each for each in names if not each.startswith("_")]:
        return known
    raise source.error(at, f"the parameter {name} names a module of {package}, which holds none")


def _group_with_default(
    source: ParsedModule, name: str, annotation: ast.expr, default: ast.expr | None, at: ast.AST
) -> ParameterGroup:
    """The group that an annotation names, with the defaults that a default such as `Rule(test_size=0.3)` gives."""
    group = _group_named(source, name, annotation, at)
    if isinstance(default, ast.Call) and source.dotted(default.func) == "dataclasses.field":
        given = {keyword.arg: keyword.value for keyword in default.keywords}
        factory = given.get("default_factory")
        if factory is not None and source.class_of(factory) == source.class_of(annotation):
            return group
        default = given.get("default", default)
    if default is None:
        return group
    same = isinstance(default, ast.Call) and source.dotted(default.func) == source.dotted(annotation)
    if not isinstance(default, ast.Call) or not same or default.args:
        raise source.error(
            at, f"the default of {name} must be {group.type}(field=literal, …), got {ast.unparse(default)}"
        )
    return group.with_defaults(_default_fields(source, group, default))


def _default_fields(source: ParsedModule, group: ParameterGroup, call: ast.Call) -> dict[str, Any]:
    """What a call of a group's class gives its fields, checked, by their names."""
    known = {each.name: each for each in group.own}
    found = {}
    for keyword in call.keywords:
        field = str(keyword.arg)
        if field not in known:
            nested = [each.name for each in group.nested]
            what = "is a group of its own: give that a default" if field in nested else "it does not have"
            raise source.error(call, f"{ast.unparse(call)} sets {field}, which {what}")
        value = default_literal(source, keyword.value, f"{field}=")
        try:
            found[field] = replace(known[field], default=value).check(value, f"{field}=")
        except SettingError as error:
            raise source.error(call, str(error)) from None
    return found


def _group_named(source: ParsedModule, name: str, annotation: ast.expr, at: ast.AST) -> ParameterGroup:
    if isinstance(annotation, ast.Name | ast.Attribute):
        named = source.dotted(annotation)
        full = named if "." in named else f"{source.name}.{named}"
        return source.code.once(f"named {full}", lambda: _found_group(source, name, annotation, at))
    return _found_group(source, name, annotation, at)


def _found_group(source: ParsedModule, name: str, annotation: ast.expr, at: ast.AST) -> ParameterGroup:
    shown = ast.unparse(annotation)
    found = source.class_of(annotation) if isinstance(annotation, ast.Name | ast.Attribute) else None
    if found is None:
        foreign = isinstance(annotation, ast.Attribute) or source.dotted(annotation) != shown
        where = f", which is no class of this project or of relet ({source.dotted(annotation)})" if foreign else ""
        raise source.error(
            at,
            f"the parameter {name} is annotated {shown}{where}; a hyperparameter is one of {PLAIN}, "
            "or a frozen dataclass of them",
        )
    return read_group(*found)


def read_group(source: ParsedModule, node: ast.ClassDef) -> ParameterGroup:
    """The group that a class is; its fields have their own names alone.

    Raises SignatureError with file and line for a class that is no frozen dataclass, and for a field that can be
    no hyperparameter.
    """
    name = f"group {source.name}.{node.name}"
    being_read: list[str] = source.code.once("groups being read", list)
    if name in being_read:
        raise source.error(node, f"{node.name} lies in itself; a group can't hold a group of its own class")
    being_read.append(name)
    try:
        return source.code.once(name, lambda: _read_class(source, node))
    finally:
        being_read.remove(name)


def _read_class(source: ParsedModule, node: ast.ClassDef) -> ParameterGroup:
    if not is_dataclass(source, node):
        raise source.error(
            node, f"{node.name} is no dataclass; write @dataclass(frozen=True, kw_only=True) above it"
        )
    if not _is_frozen(source, node):
        raise source.error(
            node, f"{node.name} is not frozen, so that a component could change it: write @dataclass(frozen=True)"
        )
    fields = {each.field: each for base in node.bases for each in _inherited_fields(source, node, base)}
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if _annotated_as(source, statement, "typing.ClassVar"):
                continue
            fields[statement.target.id] = _read_field(source, statement.target.id, statement)
    return ParameterGroup(
        name="",
        module=source.name,
        type=node.name,
        own=tuple(each for each in fields.values() if isinstance(each, Parameter)),
        nested=tuple(each for each in fields.values() if isinstance(each, ParameterGroup)),
    )


def _inherited_fields(
    source: ParsedModule, node: ast.ClassDef, base: ast.expr
) -> tuple[Parameter | ParameterGroup, ...]:
    found = source.class_of(base)
    if found is None or not is_dataclass(*found) or len(node.bases) > 1:
        bases = ", ".join(ast.unparse(each) for each in node.bases)
        raise source.error(node, f"{node.name} may inherit from one other frozen dataclass, got {bases}")
    group = read_group(*found)
    return (*group.own, *group.nested)


def _read_field(source: ParsedModule, name: str, statement: ast.AnnAssign) -> Parameter | ParameterGroup:
    if _annotated_as(source, statement, "dataclasses.InitVar"):
        raise source.error(statement, f"the field {name} is an InitVar, which is no value that a run can record")
    default = statement.value
    if isinstance(default, ast.Call) and source.dotted(default.func) == "dataclasses.field":
        given = {keyword.arg: keyword.value for keyword in default.keywords}
        if isinstance(init := given.get("init"), ast.Constant) and init.value is False:
            raise source.error(statement, f"the field {name} is not among the class's arguments (init=False)")
        if not {"default", "default_factory"} & given.keys():
            default = None
    found = read_parameter(source, name, statement.annotation, default, statement)
    if isinstance(found, ChosenGroup):
        raise source.error(statement, f"the field {name} is ChosenBy(…): only a component's parameter can be")
    return found


def _annotated_as(source: ParsedModule, statement: ast.AnnAssign, name: str) -> bool:
    node = statement.annotation
    return source.dotted(node.value if isinstance(node, ast.Subscript) else node) == name


def is_dataclass(source: ParsedModule, node: ast.ClassDef) -> bool:
    return any(source.dotted(_uncalled(each)) == "dataclasses.dataclass" for each in node.decorator_list)


def _uncalled(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _is_frozen(source: ParsedModule, node: ast.ClassDef) -> bool:
    return any(
        keyword.arg == "frozen" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for each in node.decorator_list
        if isinstance(each, ast.Call) and source.dotted(each.func) == "dataclasses.dataclass"
        for keyword in each.keywords
    )


def with_options(
    source: ParsedModule, group: ChosenGroup, parameters: list[Parameter], at: ast.AST
) -> ChosenGroup:
    """A chosen group with its options: the one dataclass of each module that the other parameter may name."""
    chooser = next((each for each in parameters if each.name == group.chosen_by), None)
    if chooser is None or chooser.module is None:
        named = [each.name for each in parameters if each.module]
        raise source.error(
            at,
            f"the parameter {group.name} is chosen by {group.chosen_by!r}, which is no parameter that names a "
            f"module (Annotated[str, Module(…)]); such are: {', '.join(named) or 'none'}",
        )
    package = chooser.module.package
    options = {
        option: _group_of_module(f"{package}.{option}", source.code).placed(group.name)
        for option in chooser.choices
    }
    return replace(group, options=options)


def _group_of_module(module: str, code: FirstPartyCode) -> ParameterGroup:
    """The group that the one public dataclass of a module is."""
    return code.once(f"chosen {module}", lambda: _read_module(module, code))


def _read_module(module: str, code: FirstPartyCode) -> ParameterGroup:
    path = code.find(module)
    assert path is not None
    source = ParsedModule.read(module, path, code)
    found = [
        each
        for each in source.tree.body
        if isinstance(each, ast.ClassDef) and not each.name.startswith("_") and is_dataclass(source, each)
    ]
    if len(found) != 1:
        names = ", ".join(each.name for each in found) or "none"
        raise SignatureError(
            f"{path} must define one public frozen dataclass, whose fields are what can be set of it; got {names}"
        )
    return read_group(source, found[0])
