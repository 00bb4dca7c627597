"""Names wire settings as they wire artifacts: which parameters a key of the configuration feeds.

The more a key says, the more it counts: a section named after a component feeds that one alone; then a row of the
table in `pipeline.py`; then a key that ends in a group's name and a field's (`segregation.method`); then one whose
last name alone is a parameter's. A section named as an option of a chosen group (`model.boosted`) is that option's
alone, chosen or not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relet.core.component import Component
from relet.core.parameter import Parameter, nearest_parameter
from relet.errors import SettingError, WiringError, nearest

# How much a key says that stands in a component's section, or in the table: more than any number of names.
COMPONENT, ROW = 300, 200


@dataclass(frozen=True, kw_only=True)
class SettingRow:
    """A row of the table in `pipeline.py`: a key of the configuration, or a section, and what it feeds.

    `choice` is the value for which a key with a parameter in braces stands: of groups that a parameter chooses it
    feeds that choice's alone.
    """

    key: str
    feeds: tuple[str, ...]
    choice: str = ""


@dataclass(frozen=True, kw_only=True)
class FedParameter:
    """A parameter of a component. One of a chosen group is there where `chosen_by` has the value `option`."""

    component: str
    parameter: Parameter
    chosen_by: str = ""
    option: str = ""

    @property
    def name(self) -> str:
        """
        >>> FedParameter(component="fit", parameter=Parameter(name="tree.depth", annotation="", types=(int,))).name
        'fit.tree.depth'
        """
        return f"{self.component}.{self.parameter.name}"

    @property
    def aliases(self) -> tuple[str, ...]:
        """The names that a field of a chosen group has by its option: `boosted.depth`, `learner.boosted.depth`."""
        if not self.option:
            return ()
        group, _, field = self.parameter.name.partition(".")
        return (f"{self.option}.{field}", f"{group}.{self.option}.{field}")

    def is_active(self, choices: Mapping[str, Mapping[str, Any]] | None) -> bool:
        """Whether its component has it with these values (component → parameter → value); any has it without."""
        return choices is None or not self.option or choices[self.component].get(self.chosen_by) == self.option


@dataclass(frozen=True, kw_only=True)
class KeyReach:
    """What a key feeds, and how much it says: of two keys for one parameter the one that says more counts."""

    level: int = 0
    fed: tuple[FedParameter, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The parameters of a pipeline by all names that a key may end in, and the table.

    `own` are the keys that are relet's own: they feed nothing by their name. `options` are those of all chosen
    groups.
    """

    components: tuple[str, ...]
    fed: tuple[FedParameter, ...]
    rows: Mapping[str, SettingRow] = field(default_factory=dict)
    own: Collection[str] = ()
    endings: Mapping[str, tuple[FedParameter, ...]] = field(default_factory=dict, repr=False)
    options: frozenset[str] = frozenset()

    def reach(self, key: str, choices: Mapping[str, Mapping[str, Any]] | None = None) -> KeyReach:
        """What a key feeds, with the values that choose groups; without them, what it may feed.

        Raises SettingError for a key in a component's section that fits several of its groups, or a group that
        has the component's name.
        """
        if row := self.row(key):
            rest = key[len(row.key) + 1 :]
            found = self._fed_by_row(row, rest)
            return KeyReach(level=ROW, fed=tuple(each for each in found if each.is_active(choices)))
        component, _, rest = key.partition(".")
        if component in self.components and rest:
            own = self._of_component(component, rest)
            self._check_one_meaning(key, own)
            return KeyReach(level=COMPONENT, fed=tuple(each for each in own if each.is_active(choices)))
        if key in self.own:
            return KeyReach()
        names, option = key.split("."), self._option_place(key)
        for start in range(len(names) if option is None else option + 1):
            ending = self.endings.get(".".join(names[start:]), ())
            if start == option:
                ending = tuple(each for each in ending if each.option in ("", names[start]))
            if fed := tuple(each for each in ending if each.is_active(choices)):
                return KeyReach(level=len(names) - start, fed=fed)
        return KeyReach()

    def _option_place(self, key: str) -> int | None:
        """Where among a key's names the first one stands that is an option's; the last name is none."""
        sections = key.split(".")[:-1]
        return next((place for place, name in enumerate(sections) if name in self.options), None)

    def option_of(self, key: str) -> str:
        """The option whose section a key stands in: by its name, or by a row of the table; "" for none."""
        if (row := self.row(key)) and row.choice:
            return row.choice
        place = self._option_place(key)
        return "" if place is None else key.split(".")[place]

    def row(self, key: str) -> SettingRow | None:
        """The row of the table that a key belongs to: its own, or that of the nearest section around it."""
        names = key.split(".")
        sections = (".".join(names[:length]) for length in range(len(names), 0, -1))
        return next((self.rows[each] for each in sections if each in self.rows), None)

    def mapping_around(self, key: str) -> str | None:
        """The key, or the nearest section around it, that feeds a parameter which takes a whole mapping."""
        names = key.split(".")
        for length in range(1, len(names) + 1):
            section = ".".join(names[:length])
            if section not in self.components and takes_mapping(self.reach(section).fed):
                return section
        return None

    def _fed_by_row(self, row: SettingRow, rest: str) -> Iterator[FedParameter]:
        option = rest.partition(".")[0]
        for feed in row.feeds:
            found = self.fed_by(f"{feed}.{rest}" if rest else feed)
            if option in self.options and not row.choice:
                # a section named as an option, not the group of that name inside of another option
                found = tuple(each for each in found if each.option == option) or found
            for each in found:
                if not (row.choice and each.option) or each.option == row.choice:
                    yield each

    def fed_by(self, feed: str) -> tuple[FedParameter, ...]:
        """The parameters that what the table names stands for: `component.parameter`, or a name in every one."""
        component, _, rest = feed.partition(".")
        if component in self.components and rest:
            return tuple(self._of_component(component, rest))
        exact = tuple(each for each in self.fed if feed in (each.parameter.name, *each.aliases))
        return exact or self.endings.get(feed, ())

    def _of_component(self, component: str, name: str) -> list[FedParameter]:
        """A component's parameters of that name, else those of one group whose names end in it."""
        own = [each for each in self.fed if each.component == component]
        if found := [each for each in own if name in (each.parameter.name, *each.aliases)]:
            return found
        found = [each for each in own if each.parameter.name.endswith(f".{name}")]
        names = dict.fromkeys(each.name for each in found)
        if len(names) > 1:
            raise SettingError(f"{component}.{name} may be {' or '.join(names)}; write the one that is meant")
        return found

    def _check_one_meaning(self, key: str, own: Sequence[FedParameter]) -> None:
        """Raise SettingError for `split.seed` that a component `split` has, and the group `split` of another."""
        component, _, rest = key.partition(".")
        others = [each for each in self.endings.get(key, ()) if each.component != component]
        if own and others and not any(rest in (each.parameter.name, *each.aliases) for each in own):
            raise SettingError(f"{key} may be {own[0].name} or {others[0].name}; write the one that is meant")

    def fields_beside(self, key: str) -> tuple[FedParameter, ...]:
        """The fields of a group that has a key's last name: what stands below the key would feed them."""
        group = f"{key.rpartition('.')[2]}."
        below = [f"{key}.{ending.removeprefix(group)}" for ending in self.endings if ending.startswith(group)]
        return tuple(each for name in below for each in self.reach(name).fed)

    def fed_by_group(self, name: str) -> tuple[FedParameter, ...]:
        """The fields of a group, by its name in every component, or by its component's and its own."""
        by_component = name.partition(".")[0] in self.components
        return tuple(
            each
            for each in self.fed
            if (each.name if by_component else each.parameter.name).startswith(f"{name}.")
            and name not in self.components
        )

    def is_group(self, name: str) -> bool:
        return bool(self.fed_by_group(name))


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """Which key feeds each parameter, by the parameter's name: the one that says most.

    `conflicts` are parameters for which several keys say as much; `idle` are the keys that feed nothing, and
    `unchosen` those in the section of an option that is not chosen.
    """

    keys: Mapping[str, str]
    conflicts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    idle: tuple[str, ...] = ()
    unchosen: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, wiring: Wiring, keys: Iterable[str], choices: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Feeding:
        """What keys feed, with the values that choose groups; the order of the keys has no say."""
        idle: list[str] = []
        unchosen: list[str] = []
        levels: dict[str, dict[int, list[str]]] = {}
        for key in keys:
            reach = wiring.reach(key, choices)
            if not reach.fed:
                (unchosen if wiring.option_of(key) and wiring.reach(key).fed else idle).append(key)
            for name in dict.fromkeys(each.name for each in reach.fed):
                levels.setdefault(name, {}).setdefault(reach.level, []).append(key)
        names = [name for name in dict.fromkeys(each.name for each in wiring.fed) if name in levels]
        most = {name: sorted(levels[name][max(levels[name])]) for name in names}
        return cls(
            keys={name: found[0] for name, found in most.items()},
            conflicts={name: tuple(found) for name, found in most.items() if len(found) > 1},
            idle=tuple(idle),
            unchosen=tuple(unchosen),
        )


def takes_mapping(fed: Collection[FedParameter]) -> bool:
    """Whether there are parameters, and each takes a mapping."""
    return bool(fed) and all(dict in each.parameter.types for each in fed)


def takes_any_names(fed: Collection[FedParameter]) -> bool:
    """Whether there are parameters, and each takes a mapping of which the annotation says what it holds."""
    members = [[each for each in fed.parameter.all_members if each.kind is dict] for fed in fed]
    return bool(members) and all(each and each[0].elements is not None for each in members)


def outweighed_keys(wiring: Wiring, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Keys that have no effect: for all that they could feed, another one says more. A parameter, and that key."""
    reaches = {key: wiring.reach(key) for key in keys}
    most: dict[tuple[str, str], tuple[int, str]] = {}
    for key, reach in reaches.items():
        for fed in reach.fed:
            place = (fed.name, fed.option)
            most[place] = max(most.get(place, (0, "")), (reach.level, key))
    return {
        key: (reach.fed[0].name, most[reach.fed[0].name, reach.fed[0].option][1])
        for key, reach in reaches.items()
        if reach.fed and all(most[fed.name, fed.option][0] > reach.level for fed in reach.fed)
    }


def wire(components: Iterable[Component], rows: Iterable[SettingRow] = (), own: Collection[str] = ()) -> Wiring:
    """The wiring of components by the names of their parameters and the rows of a table."""
    components = tuple(components)
    fed = tuple(each for component in components for each in _fed_parameters(component))
    endings: dict[str, list[FedParameter]] = {}
    for each in fed:
        names = each.parameter.name.split(".")
        for ending in dict.fromkeys((*(".".join(names[start:]) for start in range(len(names))), *each.aliases)):
            endings.setdefault(ending, []).append(each)
    return Wiring(
        components=tuple(each.name for each in components),
        fed=fed,
        rows={row.key: row for row in rows},
        own=own,
        endings={ending: tuple(found) for ending, found in endings.items()},
        options=frozenset(each.option for each in fed if each.option),
    )


def _fed_parameters(component: Component) -> Iterator[FedParameter]:
    for each in component.parameters:
        yield FedParameter(component=component.name, parameter=each)
    for chosen in component.chosen_groups:
        for option, group in chosen.options.items():
            for each in group.parameters:
                yield FedParameter(
                    component=component.name, parameter=each, chosen_by=chosen.chosen_by, option=option
                )


def read_rows(settings: Mapping[str, Any], components: Sequence[Component]) -> tuple[SettingRow, ...]:
    """The rows of a table as it is written; a key with a parameter in braces is one row a choice.

    Raises WiringError for a name that is none, with the nearest, and for a table of something else than names.
    """
    _check_table(settings)
    rows = tuple(
        SettingRow(key=each, feeds=(feeds,) if isinstance(feeds, str) else tuple(feeds), choice=choice)
        for key, feeds in settings.items()
        for each, choice in _row_keys(key, components)
    )
    wiring = wire(components)
    for row in rows:
        for feed in row.feeds:
            _check_feed(row.key, feed, wiring)
    return rows


def _check_table(settings: Any) -> None:
    if not isinstance(settings, Mapping):
        raise WiringError(f"settings takes a mapping from keys to what they feed, got {settings!r}")
    for key, feeds in settings.items():
        names = [feeds] if isinstance(feeds, str) else feeds
        if not (isinstance(key, str) and key):
            raise WiringError(f"settings has the key {key!r}; a key is text, such as 'etl.rows'")
        if not (isinstance(names, list | tuple) and names and all(isinstance(each, str) for each in names)):
            raise WiringError(f"the setting {key} feeds {feeds!r}; write 'component.parameter', or a list of them")


def _row_keys(key: str, components: Sequence[Component]) -> list[tuple[str, str]]:
    """The keys that one with a parameter in braces stands for: one for each of the parameter's choices."""
    found = re.search(r"\{(.*?)\}", key)
    if not found:
        return [(key, "")]
    name, _, parameter = found[1].partition(".")
    for each in (each.parameter(parameter) for each in components if each.name == name):
        if not each.choices:
            raise WiringError(f"the setting {key} names {found[1]}, which takes {each.accepted}, not one of a few")
        return [(key.replace(found[0], str(choice)), str(choice)) for choice in each.choices]
    raise WiringError(f"the setting {key} names {found[1]}: {nearest(name, [each.name for each in components])}")


def _check_feed(key: str, feed: str, wiring: Wiring) -> None:
    if wiring.fed_by(feed) or wiring.is_group(feed):
        return
    component, _, parameter = feed.partition(".")
    if component in wiring.components:
        known = [each.parameter.name for each in wiring.fed if each.component == component]
        raise WiringError(f"the setting {key} feeds {feed}: {nearest_parameter(parameter, known)}")
    known = [*wiring.components, *(() if parameter else (each.parameter.name for each in wiring.fed))]
    raise WiringError(f"the setting {key} feeds {feed}: {nearest(feed if not parameter else component, known)}")
