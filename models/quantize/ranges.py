"""What the activations look like on the calibration images, and the uint8 ranges chosen from that."""

import dataclasses
from math import sqrt

import numpy as np

LEVELS = 255

# Ends of a range that are tried, as shares of the extremes seen.
SHARES = np.linspace(0.3, 1, 15)

# A narrower range must be better by this factor, so that ties fall to the one tried first.
CLEARLY_BETTER = 0.999

# Lower ends tried before a GELU: below -4 its output is under 0.0002, so nothing there needs a level.
GELU_LOWER_ENDS = (-1.0, -1.5, -2.0, -2.5, -3.0, -3.5, -4.0)


@dataclasses.dataclass
class Statistics:
    """Of one tensor: random values of it, its extremes, and the largest magnitude of each channel per input (4-D tensors)."""

    sample: np.ndarray
    minimum: float
    maximum: float
    channel_max: np.ndarray | None


def collect_statistics(graph, tensors, inputs, samples):
    """Runs the float graph on every input; `samples` values of each tensor are drawn from each run (the seed is fixed)."""
    rng = np.random.default_rng(0)
    session = graph.session([t for t in tensors if t not in (graph.input, graph.output)])
    names = [output.name for output in session.get_outputs()]
    drawn = {t: [] for t in tensors}
    low, high, channels = ({t: [] for t in tensors} for _ in range(3))
    for value in inputs:
        results = dict(zip(names, session.run(None, {graph.input: value}), strict=True))
        results[graph.input] = value
        for tensor in tensors:
            array = results[tensor]
            flat = array.reshape(-1)
            drawn[tensor].append(flat[rng.integers(0, flat.size, min(samples, flat.size))])
            low[tensor].append(flat.min())
            high[tensor].append(flat.max())
            if array.ndim == 4:
                channels[tensor].append(np.abs(array).max((0, 2, 3)))
    return {
        t: Statistics(
            sample=np.concatenate(drawn[t]),
            minimum=min(0.0, float(np.min(low[t]))),
            maximum=max(0.0, float(np.max(high[t]))),
            channel_max=np.stack(channels[t]) if channels[t] else None,
        )
        for t in tensors
    }


def choose_range(statistics, after_relu):
    """(scale, zero point) with the smallest mean squared error on the sample."""
    sample, high = statistics.sample, statistics.maximum
    low = 0.0 if after_relu else statistics.minimum
    best, best_error = (0.0, 1e-3), 1e30
    for low_share in SHARES if low < 0 else [1.0]:
        for high_share in SHARES:
            ends = low * low_share, high * high_share
            error = _error(sample, sample, ends, lambda x: x)
            if error < best_error * CLEARLY_BETTER:
                best, best_error = ends, error
    scale, zero_point = _scale_and_zero_point(*best)
    return scale, np.uint8(0) if after_relu else zero_point


def choose_range_before_gelu(statistics):
    """(scale, zero point) of a tensor that only GELUs read: the smallest error after the GELU."""
    sample = statistics.sample
    wanted = gelu(sample)
    best, best_error = None, 1e30
    for low in sorted({max(statistics.minimum, end) for end in (*GELU_LOWER_ENDS, statistics.minimum)}):
        for high_share in SHARES:
            ends = low, statistics.maximum * high_share
            error = _error(sample, wanted, ends, gelu)
            if error < best_error * CLEARLY_BETTER:
                best, best_error = ends, error
    return _scale_and_zero_point(*best)


def _error(sample, wanted, ends, function):
    """Mean squared difference of `function(quantised sample)` from `wanted`; infinite for an empty range."""
    low, high = ends
    scale = (high - low) / LEVELS
    if scale <= 0:
        return float("inf")
    zero_point = np.round(-low / scale)
    quantised = (np.clip(np.round(sample / scale) + zero_point, 0, LEVELS) - zero_point) * scale
    difference = function(quantised) - wanted
    return np.mean(difference * difference)


def _scale_and_zero_point(low, high):
    scale = np.float32(max((high - low) / LEVELS, 1e-8))
    return scale, np.uint8(np.clip(np.round(-low / scale), 0, LEVELS))


def gelu(x):
    return 0.5 * x * (1 + _erf(x / sqrt(2)))


def _erf(x):
    """Abramowitz and Stegun 7.1.26: off by at most 1.5e-7, far below a quantisation step."""
    sign, x = np.sign(x), np.abs(x)
    t = 1 / (1 + 0.3275911 * x)
    polynomial = ((((1.061405429 * t - 1.453152027) * t) + 1.421413741) * t - 0.284496736) * t + 0.254829592
    return sign * (1 - polynomial * t * np.exp(-x * x))
