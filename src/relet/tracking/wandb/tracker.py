"""Run records as W&B's runs and artifacts: recorded on this machine, and uploaded from there by `wandb sync`.

One path for both modes: what is uploaded is what was recorded, and a server that hangs keeps nobody waiting.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.artifact import REPRODUCTION, Curve, Reference, Version
from relet.core.record import RunRecord
from relet.core.wording import count
from relet.errors import DamagedError, NotFoundError, ReletError, TrackerError
from relet.store.curves import curves
from relet.store.reproductions import ReproductionSummary, latest_of_runs
from relet.tracking.tracker import RefusedError
from relet.tracking.wandb import ledger
from relet.tracking.wandb.mapping import IMAGES, WandbArtifact, WandbRun, wandb_view
from relet.tracking.wandb.upload import is_logged_in, upload

if TYPE_CHECKING:
    from wandb import Run

    from relet.store import Store

MISSING = "wandb is not installed, which tracking=wandb needs: pip install 'relet[wandb]'"

# What keeps W&B quiet, and lets it send nothing but runs; what the user has set stays.
ENVIRONMENT = {"WANDB_CONSOLE": "off", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}

# Seconds: for W&B's own process to come up and answer; for an upload after a run, which nobody waits for much
# longer, and for one that was asked for.
ANSWER, AFTER_A_RUN, ASKED = 15, 15, 900

# What curves are drawn over lies under this name, where no metric is: "steps/rounds".
AXIS = "steps"


class WandbMode(StrEnum):
    """What becomes of records: nothing, kept on this machine, or uploaded too."""

    DISABLED = "disabled"
    OFFLINE = "offline"
    ONLINE = "online"


class WandbTracker:
    """Records runs in W&B's own format in `folder`, each under its `relet.run_id` as W&B's run id.

    `mode` is None where nobody has said: then runs are uploaded when somebody is logged in. Not safe to share
    between threads or, without the outbox's lease, between processes.
    """

    def __init__(self, folder: Path, *, mode: WandbMode | None = None, name: str = "wandb") -> None:
        self.name = name
        self.folder = folder
        self.mode = mode
        self._judged: tuple[tuple[str, int], dict[str, ReproductionSummary]] = (("", 0), {})

    def connect(self) -> None:
        if self.mode is not WandbMode.DISABLED:
            with self._speaking():
                _wandb().setup()

    def send(self, record: RunRecord, store: Store) -> None:
        if self.mode is WandbMode.DISABLED:
            return
        with self._speaking(f"run {record.id}"):
            if record.parent and ledger.entry(self.folder, record.parent) is None:
                with suppress(NotFoundError):
                    self._send(store.run(record.parent), store)
            self._send(record, store)

    def mirror_aliases(self, store: Store) -> None:
        """An alias that moved is recorded with the run that made the version, which is recorded again for it."""
        if self.mode is WandbMode.DISABLED or not self.folder.is_dir():
            return
        with self._speaking("aliases"):
            known = ledger.aliases(self.folder)
            for version in self._moved(store, known):
                with suppress(NotFoundError):
                    record = store.run(version.producer or "")
                    if ledger.entry(self.folder, record.id):
                        self._send(record, store, again=True)

    def pass_on(self, *, asked: bool) -> str:
        """Hand what was recorded on to `wandb sync`: when it was asked for, or where runs are to be uploaded."""
        kept = len(ledger.waiting_entries(self.folder))
        if not kept or self.mode is WandbMode.DISABLED or not (asked or self.mode is not WandbMode.OFFLINE):
            return ""
        if not is_logged_in():
            advice = "log in with `wandb login` and send them with `relet sync`"
            if self.mode is WandbMode.ONLINE:
                raise TrackerError(
                    f"WANDB_MODE is online, and nobody is logged in: {_kept_runs_text(kept, self)}; {advice}"
                )
            return f"{_kept_runs_text(kept, self)}; {advice}" if asked else ""
        _check_installed()
        found = upload(self.folder, patience=ASKED if asked else AFTER_A_RUN)
        if found.left:
            raise TrackerError(
                f"wandb sync uploaded {found.done} of {kept} runs: {found.reason}; "
                f"{_kept_runs_text(found.left, self)} for `relet sync`"
            )
        return f"{count(found.done, 'run')} uploaded by wandb sync"

    def _send(self, record: RunRecord, store: Store, *, again: bool = False) -> None:
        wanted = self._shown(record, store)
        known = ledger.entry(self.folder, record.id)
        if known and known.sent == wanted.digest and not again:
            return
        lost = self._fetch(wanted, store)
        recorded = _record_run(wanted, self.folder, store, lost)
        made = [each for each in wanted.artifacts if not each.used]
        used = [each for each in wanted.artifacts if each.used]
        ledger.note_entry(
            self.folder,
            ledger.LedgerEntry(
                run_id=record.id,
                folder=recorded,
                sent=wanted.digest,
                made=tuple(each.content for each in made),
                used=tuple(each.content for each in used),
                objects=tuple(sorted(wanted.objects - lost)),
            ),
        )
        moved = {_alias(wanted.project, each.name, alias): each.version for each in made for alias in each.aliases}
        ledger.note_aliases(self.folder, moved)

    def _shown(self, record: RunRecord, store: Store) -> WandbRun:
        versions: dict[str, Version] = {}
        aliases: dict[str, tuple[str, ...]] = {}
        for link in (*record.inputs.values(), *record.outputs.values()):
            version = store.find(Reference.parse(link.version))
            if version is not None:
                versions[link.version] = version
                at = _aliases(store, version.name)
                aliases[link.version] = tuple(sorted(a for a, number in at.items() if number == version.number))
        judged = self._words(store).get(record.id)
        return wandb_view(
            record,
            versions,
            aliases=aliases,
            reproduced=str(judged) if judged else None,
            project=_project(record.pipeline),
            curves={
                name: curve
                for link in record.outputs.values()
                if link.version in versions
                for name, curve in curves(store, versions[link.version]).items()
            },
        )

    def _words(self, store: Store) -> dict[str, ReproductionSummary]:
        """The verdicts on runs, read again only where there is a newer one."""
        newest = store.find(REPRODUCTION)
        known = (store.url, newest.number if newest else 0)
        if self._judged[0] != known:
            self._judged = (known, latest_of_runs(store) if newest else {})
        return self._judged[1]

    def _moved(self, store: Store, known: Mapping[str, str]) -> Iterator[Version]:
        """The versions that an alias points at which was last recorded for another one."""
        for name in store.names():
            for alias, number in _aliases(store, name).items():
                version = store.find(f"{name}:v{number}")
                with suppress(NotFoundError):
                    if version is None or not version.producer:
                        continue
                    project = _project(store.run(version.producer).pipeline)
                    if known.get(_alias(project, name, alias)) != str(version):
                        yield version

    def _fetch(self, wanted: WandbRun, store: Store) -> set[str]:
        """Lay the artifacts' files ready for W&B, each content once; the digests of those that are gone."""
        lost = set()
        for digest in wanted.objects:
            path = ledger.object_path(self.folder, digest)
            if not path.exists():
                try:
                    store.fetch_object(digest, path)
                except (NotFoundError, DamagedError):
                    lost.add(digest)
        return lost

    @contextmanager
    def _speaking(self, about: str = "") -> Iterator[None]:
        """Turn whatever W&B raises into TrackerError, or RefusedError where it would not have this one run."""
        try:
            yield
        except (ReletError, KeyboardInterrupt):
            raise
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            if about and (isinstance(error, TypeError | ValueError) or type(error).__name__ == "UsageError"):
                raise RefusedError(f"wandb refused {about}: {reason}") from error
            raise TrackerError(
                f"wandb can't record in {self.folder}: {reason}; set WANDB_DIR to a folder where it can, and send "
                "what waits with `relet sync`"
            ) from error


def _wandb() -> Any:
    """The library, told to be quiet before it is imported."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    _check_installed()
    import wandb

    return wandb


def _check_installed() -> None:
    if importlib.util.find_spec("wandb") is None:
        raise TrackerError(MISSING)


def _record_run(wanted: WandbRun, folder: Path, store: Store, lost: set[str]) -> str:
    """Write a run in W&B's format, and return the name of its folder below `folder`."""
    wandb = _wandb()
    # Where it can't write W&B takes a temporary folder, and nobody would find the run again.
    ledger.make_recording_folder(folder)
    settings = wandb.Settings(
        mode="offline",
        root_dir=str(folder.parent),
        use_dot_wandb=False,
        console="off",
        silent=True,
        quiet=True,
        disable_git=True,
        git_commit=wanted.commit,
        git_remote_url=wanted.repository,
        disable_code=True,
        save_code=False,
        disable_job_creation=True,
        # What the machine is, and what is installed, the record says; this process is not the run's.
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        init_timeout=ANSWER,
        x_service_wait=ANSWER,
        finish_timeout=ANSWER,
        finish_timeout_raises=True,
    )
    run = wandb.init(
        project=wanted.project,
        id=wanted.run_id,
        name=wanted.name,
        group=wanted.group,
        job_type=wanted.job_type,
        notes=wanted.notes or None,
        tags=wanted.tags,
        config=dict(wanted.config),
        settings=settings,
        reinit="create_new",
    )
    try:
        _log_curves(run, wanted.curves)
        run.summary.update(dict(wanted.summary))
        for each in wanted.artifacts:
            if not lost & set(each.files.values()):
                _publish(run, _artifact(each, folder), each)
        _log_media(run, wanted.media, store)
        _save_documents(run, wanted.documents, store)
    finally:
        run.finish(exit_code=wanted.exit_code)
    return Path(run.settings.sync_dir).name


def _artifact(shared: WandbArtifact, folder: Path) -> Any:
    artifact = _wandb().Artifact(
        shared.name,
        type=shared.type,
        description=shared.description or None,
        metadata=dict(shared.metadata),
    )
    for path, digest in sorted(shared.files.items()):
        # Immutable and past the cache: W&B reads the file where it lies when it uploads, and copies nothing.
        source = ledger.object_path(folder, digest)
        artifact.add_file(str(source), name=path, policy="immutable", skip_cache=True)
    return artifact


def _publish(run: Run, artifact: Any, shared: WandbArtifact) -> None:
    """Put an artifact on a run's record, as its output or as its input.

    Not `log_artifact`, which always moves the alias `latest` along, also for an old version that got another
    alias; nor `use_artifact`, which refuses to work offline. Both come down to this call. W&B knows equal content
    again when it is uploaded, so that an input becomes the version that another run made.
    """
    artifact.finalize()
    interface: Any = run._interface
    interface.publish_artifact(
        run, artifact, list(shared.aliases), is_user_created=shared.used, use_after_commit=shared.used
    )


def _log_curves(run: Run, drawn: Mapping[str, Curve]) -> None:
    """Each curve as rows of the run's history, over an axis of its own kind: W&B's own steps count rows."""
    rows: dict[str, dict[int, dict[str, float]]] = {}
    for name, curve in drawn.items():
        axis = f"{AXIS}/{curve.x}"
        run.define_metric(axis, hidden=True, summary="none")
        run.define_metric(name, step_metric=axis, summary="last")
        for step, value in curve.points:
            rows.setdefault(axis, {}).setdefault(step, {})[name] = value
    for axis, steps in rows.items():
        for step in sorted(steps):
            run.log({axis: step, **steps[step]})


def _log_media(run: Run, media: Mapping[str, tuple[str, str]], store: Store) -> None:
    """Figures and pages. W&B's images are pixels, so that SVG is shown as a page of its own."""
    wandb = _wandb()
    shown: dict[str, Any] = {}
    for key, (suffix, digest) in media.items():
        with suppress(NotFoundError, DamagedError):
            content = store.read_object(digest)
            if suffix not in IMAGES:
                text = content.decode("utf-8", errors="replace")
                shown[key] = wandb.Html(text, inject=False, data_is_not_path=True)
            elif importlib.util.find_spec("PIL"):
                path = Path(run.dir) / "images" / f"{digest}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                shown[key] = wandb.Image(str(path))
    if shown:
        run.log(shown)


def _save_documents(run: Run, documents: Mapping[str, str], store: Store) -> None:
    for path, digest in documents.items():
        with suppress(NotFoundError, DamagedError):
            to = Path(run.dir) / path
            store.fetch_object(digest, to)
            run.save(str(to), base_path=run.dir, policy="now")


def _project(pipeline: str) -> str:
    return os.environ.get("WANDB_PROJECT") or pipeline


def _aliases(store: Store, name: str) -> dict[str, int]:
    """Alias → number; `latest` is the newest version's where the store says nothing else."""
    newest = store.find(f"{name}:latest")
    return ({"latest": newest.number} if newest else {}) | store.aliases(name)


def _alias(project: str, artifact: str, alias: str) -> str:
    return f"{project}/{artifact}:{alias}"


def _kept_runs_text(kept: int, tracker: WandbTracker) -> str:
    return f"{count(kept, 'run')} {'is' if kept == 1 else 'are'} kept in {tracker.folder}"
