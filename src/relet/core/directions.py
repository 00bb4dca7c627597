"""Whether more or less of a metric is better, from its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum


class Direction(StrEnum):
    """What is done with a metric to get a better model."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"

    @property
    def reversed(self) -> Direction:
        return Direction.MAXIMIZE if self is Direction.MINIMIZE else Direction.MINIMIZE

    @property
    def words(self) -> str:
        return "less of it is better" if self is Direction.MINIMIZE else "more of it is better"


# Names of metrics, as evaluations and libraries write them. Words that tell an error, a cost or a spread are among
# them, so that a name which joins words of both kinds (accuracy_std) has no direction.
_MINIMIZED_NAMES = """
    aic bic brier brier_loss brier_score brier_score_loss calibration_error cer cost coverage_error cross_entropy
    crossentropy crps davies_bouldin davies_bouldin_score deviance distance divergence duration ece eer entropy
    error error_rate expected_calibration_error fallout false_discovery_rate false_negative_rate
    false_positive_rate fid fnr fpr hamming_loss hinge hinge_loss huber js kl latency log_loss logloss loss mad
    mae mape mase max_error mdae mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance mean_loss
    mean_pinball_loss mean_poisson_deviance mean_squared_error mean_squared_log_error mean_tweedie_deviance medae
    median_absolute_error misclassification miss_rate mlogloss mse msle multi_logloss negative_likelihood_ratio
    negative_log_likelihood nll nrmse perplexity pinball pinball_loss psi quantile_loss regret rmse rmsle rmspe
    root_mean_squared_error root_mean_squared_log_error sd seconds sem set_size smape std stddev time variance
    wape wasserstein wer width wmape zero_one_loss
"""
_MAXIMIZED_NAMES = """
    acc accuracy adjusted_mutual_info adjusted_mutual_info_score adjusted_rand adjusted_rand_score ap auc aucpr
    auprc auroc average_precision balanced_accuracy bleu c_index calinski_harabasz calinski_harabasz_score
    cohen_kappa completeness completeness_score concordance correlation coverage d2 d2_absolute_error
    d2_absolute_error_score d2_brier_score d2_log_loss d2_log_loss_score d2_pinball d2_pinball_score d2_tweedie
    d2_tweedie_score dcg dice explained_variance f1 f2 f_beta f_measure f_score fbeta fowlkes_mallows
    fowlkes_mallows_score gain hit_rate homogeneity homogeneity_score improvement iou jaccard kappa lift
    likelihood log_likelihood map matthews_corrcoef mcc mean_average_precision mrr mutual_info mutual_info_score
    ndcg negative_predictive_value normalized_mutual_info normalized_mutual_info_score npv pearson
    positive_likelihood_ratio ppv pr_auc precision psnr r2 rand rand_score recall roc_auc rouge score sensitivity
    silhouette skill spearman specificity ssim tnr top_k_accuracy tpr true_negative_rate true_positive_rate
    v_measure v_measure_score
"""
# Words around a metric's name that say of which rows, model or average it is, and change no direction.
_AROUND_NAMES = """
    at average avg baseline best by champion class cv default dev eval evaluation final fold folds holdout
    interval least macro mean median micro model most of on oof out overall ovo ovr root samples squared
    test train training trial val valid validation weighted winner
"""
# Names that say little: where one of them is declared the other way round, that counts.
VAGUE = frozenset({"cost", "distance", "gain", "score", "variance"})
# Scorers of scikit-learn are errors with the sign turned.
TURNED = "neg"
MINIMIZED, MAXIMIZED = frozenset(_MINIMIZED_NAMES.split()), frozenset(_MAXIMIZED_NAMES.split())
AROUND = frozenset(_AROUND_NAMES.split())
_DIRECTIONS = dict.fromkeys(MINIMIZED, Direction.MINIMIZE) | dict.fromkeys(MAXIMIZED, Direction.MAXIMIZE)
_LONGEST = max(name.count("_") + 1 for name in MINIMIZED | MAXIMIZED)


def direction_of(metric: str) -> Direction | None:
    """Whether a metric of this name is minimized or maximized; None where the name doesn't say.

    A name is known with what stands around it (`val_`, `test_`, `baseline_`, `_macro`). One that has words of both
    directions has none.

    >>> [str(direction_of(name)) for name in ("test_r2", "val_log_loss", "f1_macro", "neg_log_loss", "total")]
    ['maximize', 'minimize', 'maximize', 'maximize', 'None']
    """
    found = {direction for direction, _ in _parts(metric) if direction}
    if len(found) != 1:
        return None
    direction = found.pop()
    return direction.reversed if TURNED in _words(metric) else direction


def is_usual(metric: str) -> bool:
    """Whether the name is beyond doubt: each of its words belongs to a usual metric, or stands around one.

    >>> is_usual("test_roc_auc"), is_usual("profit_loss")
    (True, False)
    """
    return direction_of(metric) is not None and all(
        name not in VAGUE if direction else name in AROUND or name == TURNED or name.isdigit()
        for direction, name in _parts(metric)
    )


def _words(metric: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", metric.lower()) if word]


def _parts(metric: str) -> Iterator[tuple[Direction | None, str]]:
    """The name in parts: the longest names of metrics in it with their directions, and the words between."""
    words = _words(metric)
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST, len(words) - at), 0, -1):
            name = "_".join(words[at : at + length])
            if direction := _DIRECTIONS.get(name):
                yield direction, name
                break
        else:
            length = 1
            yield None, words[at]
        at += length
