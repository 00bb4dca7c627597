"""PyTorch's modules of a project as plain values: what they are made with, and their weights as flat arrays.

The class is the project's and trusted by it, as any other class in `own_code`. It is made again by its
constructor, so it keeps what that takes under the same names, as estimators of scikit-learn do. No pickle of
PyTorch is read or written, and torch is imported only where a model holds such a module.
"""

# mypy: disable-error-code="import-not-found"
# PyTorch is an extra.
from __future__ import annotations

import sys
from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any

import numpy as np

from relet.archives.stored import StoredObject
from relet.errors import ModelError

# What a model keeps of a module.
_PARTS = {"arguments", "weights"}


def is_torch_module(kind: type[Any]) -> bool:
    """Whether a class extends `torch.nn.Module`. PyTorch is not imported for the question."""
    torch = sys.modules.get("torch")
    return torch is not None and issubclass(kind, torch.nn.Module)


def torch_values(module: Any, where: str) -> dict[str, Any]:
    """What a module is made of. Raises ModelError where its attributes do not say what it was made with."""
    return {
        "arguments": {name: _argument(module, name, where) for name in _argument_names(type(module))},
        "weights": {name: _array(tensor, f"{where}: {name}") for name, tensor in module.state_dict().items()},
    }


def _argument_names(kind: type[Any]) -> list[str]:
    fixed = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return [name for name, each in signature(kind).parameters.items() if each.kind in fixed]


def _argument(module: Any, name: str, where: str) -> Any:
    if name not in vars(module):
        raise ModelError(
            f"{where} is a {type(module).__name__}, which does not keep what it was made with: its constructor "
            f"takes {name}; let it set self.{name} = {name}, so that it can be made again"
        )
    return vars(module)[name]


def _array(tensor: Any, where: str) -> Any:
    import torch

    if tensor.dtype == torch.bfloat16 or tensor.is_complex() or tensor.layout != torch.strided:
        raise ModelError(f"{where} is a tensor of {tensor.dtype}, which is not stored; convert it to float32")
    return np.array(tensor.detach().cpu().numpy())


def wrong_torch_values(part: StoredObject, kind: type[Any]) -> str:
    """Why stored values are none of a module of that class; empty where they are."""
    held = part.attributes
    if set(held) != _PARTS or not all(isinstance(each, dict) for each in held.values()):
        return "has not all that a module of PyTorch is made of"
    if set(held["arguments"]) != set(_argument_names(kind)):
        return f"is made with {', '.join(map(str, held['arguments']))[:60]}, and its class takes other names"
    if not all(isinstance(name, str) and _is_tensor(each) for name, each in held["weights"].items()):
        return "has weights that are no arrays of numbers"
    return ""


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"


def made_torch_module(kind: type[Any], held: Mapping[str, Any]) -> Any:
    """The module of checked values, ready to predict. Raises ModelError for weights of another module."""
    import torch

    module = kind(**held["arguments"])
    weights = {name: torch.from_numpy(np.array(each)) for name, each in held["weights"].items()}
    try:
        module.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise ModelError(f"the weights are not those of a {kind.__name__}: {error}"[:300]) from None
    return module.eval()
