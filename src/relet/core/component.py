"""A component is a function; its signature is its whole contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def component(
    *, job_type: str, resources: tuple[str, ...] = (), judges: tuple[str, ...] = ()
) -> Callable[[Function], Function]:
    """Mark a function as a component. (The reader of signatures comes with the core.)"""

    def mark(function: Function) -> Function:
        function.__relet__ = {"job_type": job_type, "resources": resources, "judges": judges}  # type: ignore[attr-defined]
        return function

    return mark
