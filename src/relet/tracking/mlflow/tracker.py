"""Sends run records to MLflow, as experiments, runs, datasets, models and files, with few calls a record."""

from __future__ import annotations

import getpass
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Curve, Reference, Version
from relet.core.record import ArtifactLink, RunRecord, Status
from relet.errors import DamagedError, NotFoundError, ReletError, TrackerError
from relet.store.checking import fits_files
from relet.store.curves import curves
from relet.store.reproductions import RunVerdicts
from relet.tracking.mlflow import mapping, registry
from relet.tracking.mlflow.database import make_database
from relet.tracking.naming import model_aliases, registered_name, run_files, run_name
from relet.tracking.tracker import RefusedError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Run

    from relet.store import Store

MISSING = "mlflow is not installed, which tracking=mlflow needs: pip install 'relet[mlflow]'"
BATCH = 100
REFUSALS = {
    "BAD_REQUEST",
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "MALFORMED_REQUEST",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
}


@dataclass(frozen=True, kw_only=True)
class _OutgoingRecord:
    """A record that is being sent, and MLflow's run of it, as it was before."""

    record: RunRecord
    store: Store
    run: Run
    experiment_id: str

    @property
    def run_id(self) -> str:
        return str(self.run.info.run_id)


class MlflowTracker:
    """Mirrors records to the MLflow that `uri` names: a server, or a database with its files below `artifacts`.

    Not safe to share between threads. A run is looked up before it is created: a process may have sent the record
    and died before it took the record out of the outbox.
    """

    def __init__(self, uri: str, *, artifacts: Path | None = None, name: str = "mlflow") -> None:
        self.name = name
        self.uri = uri
        self._artifacts = artifacts
        self._opened: MlflowClient | None = None
        self._experiments: dict[str, str] = {}
        self._run_ids: dict[str, str] = {}
        self._made_here: set[str] = set()
        self._versions: dict[str, Version | None] = {}
        self._verdicts = RunVerdicts()

    def connect(self) -> None:
        with self._translated_errors():
            self._client()

    def send(self, record: RunRecord, store: Store) -> None:
        with self._translated_errors(f"run {record.id}"):
            self._send(record, store)

    def mirror_aliases(self, store: Store) -> None:
        with self._translated_errors("model aliases"):
            for model, alias, version in model_aliases(store):
                registry.set_alias(self._client(), model, alias, version)

    def _client(self) -> MlflowClient:
        if self._opened is None:
            from relet.tracking.courier import ENVIRONMENT

            for name, value in ENVIRONMENT.items():
                os.environ.setdefault(name, value)
            make_database(self.uri)
            from mlflow import MlflowClient

            client = MlflowClient(self.uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI") or self.uri)
            client.search_experiments(max_results=1)
            self._opened = client
        return self._opened

    @contextmanager
    def _translated_errors(self, about: str = "") -> Iterator[None]:
        """Turn each error of mlflow into a TrackerError, or a RefusedError where MLflow answered and refused."""
        if find_spec("mlflow") is None:
            raise TrackerError(MISSING)
        try:
            yield
        except (ReletError, KeyboardInterrupt):
            raise
        except Exception as error:
            # What is remembered of MLflow may be wrong now, so everything is looked up again.
            self._run_ids.clear()
            self._made_here.clear()
            self._experiments.clear()
            reason = " ".join(str(error).split())[:500]
            if about and getattr(error, "error_code", None) in REFUSALS:
                raise RefusedError(f"mlflow at {_public_uri(self.uri)} refused {about}: {reason}") from error
            raise TrackerError(
                f"mlflow at {_public_uri(self.uri)} can't be used: {reason}; set MLFLOW_TRACKING_URI to one that "
                "can, and send what waits with `relet sync`"
            ) from error

    def _send(self, record: RunRecord, store: Store) -> None:
        parent = self._parent(record, store)
        experiment_id = self._experiment(record.experiment)
        verdict = self._verdicts.latest(store, record.id)
        wanted = mapping.tags(record, parent=parent, user=_user(), reproduced=verdict)
        run = self._find(record, experiment_id) or self._create(record, experiment_id, wanted, store)
        self._run_ids[record.id] = run.info.run_id
        if run.info.lifecycle_stage == "deleted":
            # Somebody deleted the run in MLflow, so it is not made again.
            return
        sending = _OutgoingRecord(record=record, store=store, run=run, experiment_id=experiment_id)
        self._log(sending, wanted, self._models(sending))
        self._log_inputs(sending)
        if record.status is not Status.RUNNING:
            self._log_files(sending)
            ended = mapping.milliseconds(record.ended or record.started)
            self._client().set_terminated(run.info.run_id, mapping.STATUS[record.status], ended)

    def _experiment(self, name: str) -> str:
        """The id of an experiment, which is created where it is missing; another process may create it at once."""
        if name in self._experiments:
            return self._experiments[name]
        from mlflow.exceptions import MlflowException

        client = self._client()
        found = client.get_experiment_by_name(name)
        if found is None:
            # Each run has its own folder below this one.
            location = self._artifacts.absolute().as_uri() if self._artifacts else None
            try:
                client.create_experiment(name, artifact_location=location)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = client.get_experiment_by_name(name)
        if found is None or found.lifecycle_stage == "deleted":
            raise RefusedError(
                f"mlflow at {_public_uri(self.uri)}: the experiment {name!r} was deleted; restore it with "
                "`mlflow experiments restore`, or set main.experiment_name to another"
            )
        self._experiments[name] = str(found.experiment_id)
        return self._experiments[name]

    def _parent(self, record: RunRecord, store: Store) -> str | None:
        """MLflow's id of the parent run, or None; a parent that was not sent yet is sent first."""
        if record.parent is None:
            return self._outer_run(record)
        if record.parent not in self._run_ids:
            try:
                parent = store.run(record.parent)
            except NotFoundError:
                return None
            self._send(parent, store)
        return self._run_ids[record.parent]

    def _outer_run(self, record: RunRecord) -> str | None:
        """MLflow's id of the run of `mlflow run` that started relet, where this MLflow has it."""
        outer = record.machine.get("mlflow_run_id")
        if not outer:
            return None
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client().get_run(outer).info.run_id)
        except MlflowException as error:
            if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                return None
            raise

    def _find(self, record: RunRecord, experiment_id: str) -> Run | None:
        if record.parent in self._made_here and record.id not in self._run_ids and self._is_private(None):
            # Parents are sent first, so a parent that was created a moment ago has no child yet.
            return None
        found = self._look_up(record, experiment_id)
        if not found:
            return None
        best = min(found, key=lambda run: bool(run.info.lifecycle_stage == "deleted"))
        models = any(
            link.type == ArtifactType.MODEL for link in (*record.inputs.values(), *record.outputs.values())
        )
        # A run that comes from a search lacks its models.
        return self._client().get_run(best.info.run_id) if models else best

    def _look_up(self, record: RunRecord, experiment_id: str) -> list[Run]:
        from mlflow.entities import ViewType

        matches = f"tags.`{mapping.RUN_ID}` = '{record.id}'"
        return list(self._client().search_runs([experiment_id], matches, ViewType.ALL, max_results=5))

    def _is_private(self, store: Store | None) -> bool:
        """Whether only processes of this machine see the database, which the lease keeps apart."""
        return self.uri.startswith("sqlite:") and (store is None or "://" not in store.url)

    def _create(self, record: RunRecord, experiment_id: str, tags: Mapping[str, str], store: Store) -> Run:
        """Create a record's run. Of two machines that do so at once, one that sees two runs deletes its own."""
        client = self._client()
        while True:
            run = client.create_run(
                experiment_id,
                start_time=mapping.milliseconds(record.started),
                tags=dict(tags),
                run_name=run_name(record, mapping.NAME_LENGTH),
            )
            self._made_here.add(record.id)
            if self._is_private(store):
                return run
            others = [o for o in self._look_up(record, experiment_id) if o.info.run_id != run.info.run_id]
            if not others:
                return run
            client.delete_tag(run.info.run_id, mapping.RUN_ID)
            client.delete_run(run.info.run_id)
            time.sleep(random.uniform(0.05, 0.5))
            if there := self._find(record, experiment_id):
                return there

    def _log(self, sending: _OutgoingRecord, wanted: Mapping[str, str], model_id: str | None) -> None:
        """Log the tags, parameters and metrics that the run lacks, in one call, or more above MLflow's limits."""
        from mlflow.entities import Param, RunTag

        record, known = sending.record, sending.run.data
        tags = [RunTag(k, v) for k, v in wanted.items() if known.tags.get(k) != v]
        parameters = [Param(k, v) for k, v in mapping.parameters(record).items() if k not in known.params]
        metrics = [] if record.status is Status.RUNNING else list(self._metrics(sending, model_id))
        for start in range(0, max(len(tags), len(parameters), len(metrics)), BATCH):
            batch = slice(start, start + BATCH)
            self._client().log_batch(
                sending.run_id, tags=tags[batch], params=parameters[batch], metrics=metrics[batch]
            )

    def _metrics(self, sending: _OutgoingRecord, model_id: str | None) -> Iterator[Metric]:
        """The numbers that the run lacks, and the points that its curves lack."""
        from mlflow.entities import Metric

        record, known = sending.record, sending.run.data.metrics
        at = mapping.milliseconds(record.ended or record.started)
        drawn = self._curves(sending)
        for name, value in record.metrics.items():
            key = mapping.allowed_key(name)
            points = drawn[name].points if name in drawn else ((0, value),)
            there: set[int] = set()
            if key in known:
                if name not in drawn:
                    continue
                there = {each.step for each in self._client().get_metric_history(sending.run_id, key)}
            for step, number in points:
                if step not in there:
                    yield Metric(key, float(number), at, step, model_id=model_id)

    def _curves(self, sending: _OutgoingRecord) -> dict[str, Curve]:
        versions = (self._version(link, sending.store) for link in sending.record.outputs.values())
        held = (curves(sending.store, version) for version in versions if version)
        return {name: curve for each in held for name, curve in each.items()}

    def _log_inputs(self, sending: _OutgoingRecord) -> None:
        """Log the tables among the run's inputs and outputs as datasets, and the models among its inputs."""
        from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput

        record, run = sending.record, sending.run
        has = run.inputs.dataset_inputs if run.inputs else []
        known = {(each.dataset.name, each.dataset.digest) for each in has}
        datasets = []
        for context, links in (("input", record.inputs), ("output", record.outputs)):
            for link in links.values():
                if link.type != ArtifactType.TABLE:
                    continue
                dataset = Dataset(**mapping.dataset(link, self._version(link, sending.store), sending.store.url))
                if (dataset.name, dataset.digest) not in known:
                    datasets.append(DatasetInput(dataset, [InputTag("mlflow.data.context", context)]))
        there = {each.model_id for each in (run.inputs.model_inputs or [])} if run.inputs else set()
        wanted = (self._known_model(record, each) for each in record.inputs.values())
        models = [LoggedModelInput(each) for each in dict.fromkeys(wanted) if each and each not in there]
        if datasets or models:
            self._client().log_inputs(sending.run_id, datasets=datasets, models=models or None)

    def _known_model(self, record: RunRecord, link: ArtifactLink) -> str | None:
        if link.type != ArtifactType.MODEL:
            return None
        name = registered_name(record.pipeline, link.version.partition(":")[0])
        found = registry.registered_version(self._client(), name, link.content)
        return registry.model_id(found) if found else None

    def _models(self, sending: _OutgoingRecord) -> str | None:
        """Log and register each model among the run's outputs; MLflow's id of the last one."""
        model_id = None
        for link in sending.record.outputs.values():
            if link.type == ArtifactType.MODEL and sending.record.status is not Status.RUNNING:
                model_id = self._model(sending, link) or model_id
        return model_id

    def _model(self, sending: _OutgoingRecord, link: ArtifactLink) -> str | None:
        from mlflow.entities import LoggedModelOutput

        client, run = self._client(), sending.run
        version = self._version(link, sending.store)
        if version is not None and not fits_files(version):
            version = (
                None  # MLflow would execute what its MLmodel names; `relet artifacts verify` names the version.
            )
        name = registered_name(sending.record.pipeline, link.version.partition(":")[0])
        found = registry.registered_version(client, name, link.content)
        model_id = registry.model_id(found) if found else None
        if model_id is None and version is not None:
            model_id = registry.log_model(
                client,
                run_id=sending.run_id,
                experiment_id=sending.experiment_id,
                version=version,
                store=sending.store,
            )
        if model_id is None:
            return None
        if model_id not in {each.model_id for each in (run.outputs.model_outputs if run.outputs else [])}:
            client.log_outputs(sending.run_id, [LoggedModelOutput(model_id, step=0)])
        if found is None and version is not None:
            registry.register(client, name, model_id=model_id, run_id=sending.run_id, version=version)
        return model_id

    def _version(self, link: ArtifactLink, store: Store) -> Version | None:
        """The version of a link, or None where it was pruned. It is read once, since a version never changes."""
        if link.version not in self._versions:
            self._versions[link.version] = store.find(Reference.parse(link.version))
        return self._versions[link.version]

    def _log_files(self, sending: _OutgoingRecord) -> None:
        """Log what a component made that a person reads, and printed, or the lock and the diff of a pipeline.

        A skipped run made nothing. A file that was pruned or is damaged is left out.
        """
        record, store = sending.record, sending.store
        wanted = run_files(record)
        for link in record.outputs.values():
            version = self._version(link, store)
            if version and record.status is not Status.SKIPPED:
                wanted |= mapping.visible_files(version)
        if not wanted:
            return
        with tempfile.TemporaryDirectory(prefix="relet-files-") as folder:
            for path, digest in wanted.items():
                _fetch_if_there(store.fetch_object, digest, Path(folder) / path)
            if any(Path(folder).iterdir()):
                self._client().log_artifacts(sending.run_id, folder)


def _fetch_if_there(fetch: Callable[[str, Path], None], digest: str, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        fetch(digest, to)
    except (NotFoundError, DamagedError):
        to.unlink(missing_ok=True)


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def _public_uri(uri: str) -> str:
    """A URI without the name and password it may hold.

    >>> _public_uri("postgresql://me:secret@db/mlflow")
    'postgresql://…@db/mlflow'
    """
    scheme, mark, rest = uri.partition("://")
    before, at, after = rest.rpartition("@")
    return f"{scheme}{mark}…@{after}" if at and "/" not in before else uri
