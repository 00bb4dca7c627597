"""The only door to Hydra: a folder and overrides go in, plain values come out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from relet.config.diagnosis import explain, groups, path_from_here, places
from relet.config.interpolation import unread_interpolation, unresolved_interpolation, with_origins
from relet.config.overrides import overridden_keys, quote
from relet.config.own import OWN, takes_text
from relet.core.wiring import Wiring
from relet.core.wording import printable
from relet.errors import SettingError

PRIMARY = "config.yaml"


@dataclass(frozen=True, kw_only=True)
class ComposedConfig:
    """A composed configuration: nested values, and the option chosen in each group.

    The values are plain, but for text that an interpolation gave, which is an `InterpolatedText`.
    """

    values: Mapping[str, Any]
    choices: Mapping[str, str | None]

    @property
    def as_overrides(self) -> list[str]:
        """The choices alone, as overrides: with them Hydra gives these files' own values."""
        return [f"{group}={'null' if option is None else option}" for group, option in self.choices.items()]


def compose(folder: Path, overrides: Sequence[str], *, wiring: Wiring) -> ComposedConfig:
    """What Hydra makes of `config.yaml` in a folder and of overrides in Hydra's own syntax, all resolved.

    `wiring` says what each key feeds: a setting that no file has may be overridden where it feeds a parameter, and
    errors name what was probably meant. What Hydra can't read (`etl.source=~/x(1).csv`) is the text, where that is
    what the setting takes. Raises SettingError for whatever else Hydra does not take.
    """
    if not (folder / PRIMARY).is_file():
        raise SettingError(
            f"there is no {PRIMARY} in {path_from_here(folder)}; a pipeline's settings stand there, and an empty "
            "file leaves each parameter its default"
        )
    for override in overrides:
        if override.lstrip("+~").startswith(("hydra.", "hydra/")):
            raise SettingError(f"{override}: Hydra's own settings have no effect here; relet runs the steps")
        if not _is_text(override):
            raise SettingError(
                f"{printable(override)}: its bytes are no UTF-8, which no record can hold; rename it"
            )
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    refusals = (HydraException, OmegaConfBaseException, YAMLError, ValueError)
    options = groups(folder) if overrides else {}

    def composed(given: Sequence[str]) -> ComposedConfig:
        return _compose(folder, [_with_addition(each, folder, wiring, options) for each in given], wiring)

    try:
        return composed(overrides)
    except refusals as error:
        quoted = [quote(each, lambda key: takes_text(wiring, key)) for each in overrides]
        if quoted == list(overrides):
            raise explain(error, folder, overrides, wiring) from None
    try:
        return composed(quoted)
    except refusals as error:
        raise explain(error, folder, quoted, wiring) from None


def _is_text(word: str) -> bool:
    """Whether a word of a command is UTF-8; bytes that are not come as lone halves of a sign."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _with_addition(override: str, folder: Path, wiring: Wiring, options: Collection[str]) -> str:
    """An override as Hydra takes it where no file has its key: with `++`, if all that it sets feeds something."""
    key, equals, _ = override.partition("=")
    if not equals or key.startswith(("+", "~")) or key in options:
        return override

    def may_be_added(key: str) -> bool:
        if section := wiring.mapping_around(key):
            # which keys a mapping has, the files say, unless it is there for overrides to fill
            return _is_open_mapping(section, folder)
        return key in OWN or bool(wiring.reach(key).fed)

    return f"++{override}" if all(may_be_added(each) for each in overridden_keys(override)) else override


def _is_open_mapping(key: str, folder: Path) -> bool:
    """Whether the files have no mapping of that name, or `config.yaml` has an empty one."""
    import yaml

    with suppress(OSError, yaml.YAMLError):
        value = yaml.safe_load((folder / PRIMARY).read_text(encoding="utf-8"))
        for name in key.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return not value if isinstance(value, dict) else key not in places(folder)
    return False


def _compose(folder: Path, overrides: Sequence[str], wiring: Wiring) -> ComposedConfig:
    import hydra
    from hydra.errors import ConfigCompositionException
    from omegaconf import OmegaConf
    from omegaconf.errors import GrammarParseError, OmegaConfBaseException

    with _own_defaults(), hydra.initialize_config_dir(str(folder.resolve()), version_base="1.3"):
        try:
            config = hydra.compose(PRIMARY, overrides=list(overrides), return_hydra_config=True)
        except ConfigCompositionException as error:
            if isinstance(cause := error.__cause__ or error.__context__, GrammarParseError):
                raise unread_interpolation(cause, folder, overrides) from None
            raise
        except RecursionError:
            raise SettingError(f"{folder}: a value holds itself, by an alias (*name) in a file") from None
        except OSError as error:
            if type(error) is not OSError:  # what Hydra refuses
                raise
            # what OmegaConf says of a file that is a number or text alone
            raise SettingError(f"{folder}: a file is no mapping from keys to values: {error}") from None
    choices = config.hydra.runtime.choices.items()
    OmegaConf.set_struct(config, False)
    del config["hydra"]
    written: Any = OmegaConf.to_container(config, resolve=False)
    try:
        missing = sorted(OmegaConf.missing_keys(config))
        values = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        raise unresolved_interpolation(
            error, written, folder, overrides, takes_text=partial(takes_text, wiring)
        ) from None
    if missing:
        raise SettingError(
            f"{' and '.join(missing)} {'has' if len(missing) == 1 else 'have'} no value in "
            f"{path_from_here(folder / PRIMARY)} (???): write one there, or set {'=… '.join(missing)}=…"
        )
    return ComposedConfig(
        values=with_origins(values, written),
        choices={group: option for group, option in choices if not group.startswith("hydra/")},
    )


@contextmanager
def _own_defaults() -> Iterator[None]:
    """Hydra without its own launchers, sweepers, help pages and logging: composing them is most of its time.

    A program that uses Hydra itself finds it afterwards as it was.
    """
    from hydra.core.config_store import ConfigStore
    from hydra.core.global_hydra import GlobalHydra

    own = _bare_hydra()
    registered = ConfigStore.instance().repo["hydra"]
    theirs, theirs_running = registered[own.name], GlobalHydra.instance().hydra
    registered[own.name] = own
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        registered[own.name] = theirs
        GlobalHydra.instance().hydra = theirs_running


@cache
def _bare_hydra() -> Any:
    """Hydra's own settings without defaults, as its store keeps them: made once, for it takes milliseconds.

    Hydra copies what its store keeps before it changes it.
    """
    from hydra.conf import HydraConf
    from hydra.core.config_store import ConfigNode
    from omegaconf import OmegaConf

    node = OmegaConf.structured(HydraConf(defaults=[]))
    return ConfigNode(name="config.yaml", node=node, group="hydra", package=None, provider="relet")
