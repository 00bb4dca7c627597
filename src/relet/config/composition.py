"""The only door to Hydra: a folder and overrides go in, plain values come out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relet.config.diagnosis import explain, path_from_here, quote
from relet.errors import SettingError

PRIMARY = "config.yaml"


@dataclass(frozen=True, kw_only=True)
class ComposedConfig:
    """A composed configuration: nested plain values, and the option chosen in each group."""

    values: Mapping[str, Any]
    choices: Mapping[str, str | None]

    @property
    def as_overrides(self) -> list[str]:
        """The choices alone, as overrides: with them Hydra gives these files' own values."""
        return [f"{group}={'null' if option is None else option}" for group, option in self.choices.items()]


def compose(
    folder: Path,
    overrides: Sequence[str],
    *,
    feeds: Mapping[str, Sequence[str]],
    texts: Collection[str] = (),
) -> ComposedConfig:
    """What Hydra makes of `config.yaml` in a folder and of overrides in Hydra's own syntax, all resolved.

    `feeds` maps each setting to the parameters that it feeds, for errors to name what was probably meant.
    `texts` are the settings that take text: what Hydra can't read there (`etl.source=~/x(1).csv`) is the text.
    Raises SettingError for whatever else Hydra does not take.
    """
    if not (folder / PRIMARY).is_file():
        raise SettingError(f"there is no {PRIMARY} in {path_from_here(folder)}; a pipeline's settings stand there")
    for override in overrides:
        if override.lstrip("+~").startswith(("hydra.", "hydra/")):
            raise SettingError(f"{override}: Hydra's own settings have no effect here; relet runs the steps")
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    refusals = (HydraException, OmegaConfBaseException, YAMLError, ValueError)
    try:
        return _compose(folder, overrides)
    except refusals as error:
        quoted = [quote(each, texts) for each in overrides]
        if quoted == list(overrides):
            raise explain(error, folder, overrides, feeds=feeds) from None
    try:
        return _compose(folder, quoted)
    except refusals as error:
        raise explain(error, folder, quoted, feeds=feeds) from None


def is_empty(key: str, folder: Path) -> bool:
    """Whether a key of `config.yaml` holds an empty mapping there: one for overrides to fill."""
    import yaml

    with suppress(OSError, yaml.YAMLError):
        value = yaml.safe_load((folder / PRIMARY).read_text(encoding="utf-8"))
        for name in key.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return isinstance(value, dict) and not value
    return False


def _compose(folder: Path, overrides: Sequence[str]) -> ComposedConfig:
    import hydra
    from omegaconf import OmegaConf

    with _own_defaults(), hydra.initialize_config_dir(str(folder.resolve()), version_base="1.3"):
        config = hydra.compose(PRIMARY, overrides=list(overrides), return_hydra_config=True)
    choices = config.hydra.runtime.choices.items()
    OmegaConf.set_struct(config, False)
    del config["hydra"]
    values: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    return ComposedConfig(
        values=values,
        choices={group: option for group, option in choices if not group.startswith("hydra/")},
    )


@contextmanager
def _own_defaults() -> Iterator[None]:
    """Hydra without its own launchers, sweepers, help pages and logging: composing them is most of its time.

    A program that uses Hydra itself finds it afterwards as it was.
    """
    from hydra.conf import HydraConf
    from hydra.core.config_store import ConfigStore
    from hydra.core.global_hydra import GlobalHydra

    store = ConfigStore.instance()
    theirs, theirs_running = store.load("hydra/config.yaml"), GlobalHydra.instance().hydra
    store.store(name="config", group="hydra", node=HydraConf(defaults=[]), provider="relet")
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        store.store(name="config", group="hydra", node=theirs.node, provider=theirs.provider)
        GlobalHydra.instance().hydra = theirs_running
