"""A small neural network. PyTorch fits it; prediction uses its weights as arrays and needs only numpy."""

# mypy: disable-error-code="import-untyped, import-not-found"
# scikit-learn ships no stubs; PyTorch is an extra.
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from relet.errors import SetUpError
from relet.training.estimators.products import exponential, product

if TYPE_CHECKING:
    from numpy.typing import NDArray


class NetworkRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A multilayer perceptron with ReLU units that learns the mean absolute error; features should have one scale.

    Equal to the bit for equal seed, order of rows and version of PyTorch: it uses one thread, and numpy draws the
    starting weights and the order of batches. With `log_target` it learns the target's logarithm. `fit` raises
    SetUpError where PyTorch is missing; prediction does not need it.
    """

    weights_: list[NDArray[np.float64]]
    biases_: list[NDArray[np.float64]]
    centre_: float
    scale_: float

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (64, 32),
        epochs: int = 30,
        batch_size: int = 256,
        learning_rate: float = 0.003,
        weight_decay: float = 0.0001,
        dropout: float = 0.1,
        log_target: bool = True,
        random_state: int = 42,
    ) -> None:
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.log_target = log_target
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> NetworkRegressor:
        rows = np.asarray(X, dtype=np.float64)
        target = np.log(np.asarray(y, dtype=np.float64)) if self.log_target else np.asarray(y, dtype=np.float64)
        self.n_features_in_ = rows.shape[1]
        self.centre_, self.scale_ = float(np.mean(target)), float(np.std(target)) or 1.0
        with _one_thread() as torch:
            layers = self._learned(torch, rows.astype(np.float32), (target - self.centre_) / self.scale_)
        self.weights_ = [weight.detach().numpy().astype(np.float64) for weight, _ in layers]
        self.biases_ = [bias.detach().numpy().astype(np.float64) for _, bias in layers]
        return self

    def _learned(
        self, torch: Any, rows: NDArray[np.float32], target: NDArray[np.float64]
    ) -> list[tuple[Any, Any]]:
        """The layers after all epochs, each a matrix inputs × outputs and a bias.

        The step size falls to 0 along a cosine.
        """
        random = np.random.default_rng(self.random_state)
        inputs, wanted = torch.from_numpy(rows), torch.from_numpy(target.astype(np.float32))
        layers = self._started(torch, random)
        flat = [each for layer in layers for each in layer]
        steps = self.epochs * -(-len(rows) // self.batch_size)
        optimizer = torch.optim.AdamW(flat, lr=self.learning_rate, weight_decay=self.weight_decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
        for _ in range(self.epochs):
            order = random.permutation(len(rows))
            for start in range(0, len(rows), self.batch_size):
                batch = torch.from_numpy(order[start : start + self.batch_size])
                found = inputs[batch]
                for weight, bias in layers[:-1]:
                    found = torch.relu(found @ weight + bias)
                    kept = torch.from_numpy(random.random(found.shape) >= self.dropout)
                    found = found * kept / (1 - self.dropout)
                weight, bias = layers[-1]
                loss = torch.mean(torch.abs((found @ weight + bias)[:, 0] - wanted[batch]))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        return layers

    def _started(self, torch: Any, random: np.random.Generator) -> list[tuple[Any, Any]]:
        """He's starting weights: normal, of variance 2 / inputs (https://arxiv.org/abs/1502.01852)."""
        sizes = [self.n_features_in_, *self.hidden, 1]
        made = []
        for size, following in pairwise(sizes):
            weight = random.normal(0.0, np.sqrt(2 / size), (size, following)).astype(np.float32)
            bias = np.zeros(following, dtype=np.float32)
            made.append(tuple(torch.from_numpy(each).requires_grad_() for each in (weight, bias)))
        return made

    @property
    def importances_(self) -> NDArray[np.float64]:
        """The importance of each feature: the sum of the absolute weights on all paths from it to the output."""
        ways = np.abs(self.weights_[0])
        for weight in self.weights_[1:]:
            ways = product(ways, np.abs(weight))
        return ways[:, 0]

    def predict(self, X: Any) -> NDArray[np.float64]:
        found = np.asarray(X, dtype=np.float64)
        for weight, bias in zip(self.weights_[:-1], self.biases_[:-1], strict=True):
            found = np.maximum(product(found, weight) + bias, 0.0)
        found = (product(found, self.weights_[-1]) + self.biases_[-1])[:, 0]
        predicted = found * self.scale_ + self.centre_
        return exponential(predicted) if self.log_target else predicted


@contextmanager
def _one_thread() -> Iterator[Any]:
    """Run PyTorch on one thread, since the number of threads changes the order of sums."""
    try:
        import torch
    except ImportError:
        raise SetUpError(
            "the model family needs PyTorch, which is not installed: pip install 'relet[torch]', "
            "or choose another family (modeling.family)"
        ) from None
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield torch
    finally:
        torch.set_num_threads(before)
