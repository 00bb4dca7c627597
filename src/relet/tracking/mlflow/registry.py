"""Models in MLflow: each content is one logged model and one version of a registered model."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.artifact import Version, short_name
from relet.store.checking import refuse_other_files
from relet.tracking.mlflow.mapping import CONTENT, RUN_ID, VERSION

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

    from relet.store import Store


def registered_version(client: MlflowClient, name: str, content: str) -> ModelVersion | None:
    """The version of a registered model that has this content, or None."""
    found = client.search_model_versions(f"name = '{name}' and tags.`{CONTENT}` = '{content}'", max_results=1)
    return found[0] if found else None


def model_id(version: ModelVersion) -> str | None:
    """The id of the logged model of a registered version, or None; MLflow may keep it in the source alone."""
    source = version.source or ""
    return version.model_id or (source.removeprefix("models:/") if source.startswith("models:/m-") else None)


def log_model(client: MlflowClient, *, run_id: str, experiment_id: str, version: Version, store: Store) -> str:
    """Log a model's folder as a logged model; its id. A logged model that a crash left incomplete is completed.

    Raises DamagedError, before anything is logged, where the folder is not what the version's content digests.
    """
    refuse_other_files(version)
    found = _logged_model(client, experiment_id, version)
    if found is None:
        found = client.create_logged_model(
            experiment_id,
            name=short_name(version.name),
            source_run_id=run_id,
            tags={CONTENT: version.content, VERSION: str(version), RUN_ID: version.producer or ""},
        )
    if not _is_ready(found):
        with tempfile.TemporaryDirectory(prefix="relet-model-") as folder:
            store.materialize(version, Path(folder))
            client.log_model_artifacts(found.model_id, folder)
        client.finalize_logged_model(found.model_id, "READY")
    return str(found.model_id)


def _logged_model(client: MlflowClient, experiment_id: str, version: Version) -> LoggedModel | None:
    matches = f"tags.`{CONTENT}` = '{version.content}' and name = '{short_name(version.name)}'"
    found = client.search_logged_models([experiment_id], filter_string=matches, max_results=1)
    return found[0] if found else None


def _is_ready(model: LoggedModel) -> bool:
    return str(getattr(model.status, "value", model.status)) == "READY"


def register(client: MlflowClient, name: str, *, model_id: str, run_id: str, version: Version) -> None:
    """Register a logged model as the next version of a registered model; the first version creates the model."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description=version.description or None)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    with _default_tracking_uri(client.tracking_uri):
        client.create_model_version(
            name,
            source=f"models:/{model_id}",
            run_id=run_id,
            model_id=model_id,
            tags={CONTENT: version.content, VERSION: str(version)},
            description=version.description or None,
        )


@contextmanager
def _default_tracking_uri(uri: str) -> Iterator[None]:
    """Set the process's default URI in the block: MLflow's registry looks logged models up there."""
    import mlflow

    was_set, before = mlflow.is_tracking_uri_set(), mlflow.get_tracking_uri()  # type: ignore[no-untyped-call]
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before if was_set else None)  # type: ignore[arg-type]


def set_alias(client: MlflowClient, name: str, alias: str, version: Version) -> bool:
    """Set an alias to the registered version that has this content. False where there is none."""
    found = registered_version(client, name, version.content)
    if found is None:
        return False
    if str(client.get_registered_model(name).aliases.get(alias)) != str(found.version):
        client.set_registered_model_alias(name, alias, str(found.version))
    return True
