"""GELU between uint8 tensors: a look-up table and a multiplication of bytes instead of three passes over floats.

onnxruntime's only look-up table that can be shaped is QLinearSigmoid: output code = round(height * sigmoid(slope * (x - centre))), cut
at 255. GELU(x) = x * Phi(x), and Phi is nearly a sigmoid; the cut, a byte subtracted from the table and one subtracted from x make
up for most of the rest. As everything is a function of one byte, the error of a choice is known exactly, and the best choice for the
values that a tensor takes is searched for. It adds 0.15 of the variance that rounding to uint8 has anyway, the usual
x * sigmoid(1.702 x) 2.8 times that variance (medians of the 26 GELUs; at most 0.7 and 16).
"""

import dataclasses

import numpy as np

from ranges import gelu

CODES = np.arange(256.0)

# Share of all values that a code counts at least, so that codes that calibration never saw are not left to chance.
RARE = 1e-5

# Random search: from a good start, ever smaller steps. More rounds do not improve the sum of the errors by a hundredth.
ROUNDS, CANDIDATES, COOLING, LAST_STEP = 80, 300, 0.94, 0.02
START_SLOPE, START_HEIGHT, START_TABLE_ZERO = 1.65, 262.0, 2.0
STEPS = np.array([0.25, 8.0, 40.0, 6.0, 6.0])
LOWEST, HIGHEST = np.array([0.1, 0.0, 150.0, 0.0, 0.0]), np.array([4.0, 255.0, 600.0, 255.0, 60.0])
ON_CODES = np.array([False, True, False, True, True])


@dataclasses.dataclass
class GeluTable:
    """y = (x - x_zero) * (table(x) - table_zero) * factor + y_zero in codes; the zero points are uint8, the rest float32."""

    slope: np.float32
    centre: np.uint8
    height: np.float32
    x_zero: np.uint8
    table_zero: np.uint8
    factor: np.float32
    y_zero: np.uint8

    def codes(self):
        """Code of y for each code of x, as onnxruntime computes it."""
        table = np.minimum(np.rint(self.height / (1 + np.exp(-float(self.slope) * (CODES - self.centre)))), 255)
        product = (CODES - self.x_zero) * (table - self.table_zero)
        return np.clip(np.rint(product * float(self.factor)) + self.y_zero, 0, 255)


def fit_gelu(sample, x_range, y_range):
    """The table with the smallest mean squared error over `sample`, values before the GELU; ranges are (scale, zero point)."""
    (x_scale, x_zero), (y_scale, y_zero) = [(float(scale), float(zero)) for scale, zero in (x_range, y_range)]
    weights, wanted = _wanted(sample.astype(np.float64), x_scale, x_zero)
    wanted = wanted / y_scale + y_zero
    unit = np.array([x_scale, 1, 1, 1, 1])
    best = np.array([START_SLOPE, x_zero, START_HEIGHT, x_zero, START_TABLE_ZERO])
    least = _evaluate(best[None] * unit, weights, wanted, y_zero)[0][0]
    rng = np.random.default_rng(0)
    for turn in range(ROUNDS):
        tried = best + rng.normal(size=(CANDIDATES, 5)) * STEPS * (COOLING**turn + LAST_STEP)
        tried = np.clip(np.where(ON_CODES, np.rint(tried), tried), LOWEST, HIGHEST)
        errors = _evaluate(tried * unit, weights, wanted, y_zero)[0]
        if errors.min() < least:
            least, best = errors.min(), tried[errors.argmin()]
    _, factor, offset = _evaluate(best[None] * unit, weights, wanted, y_zero)
    slope, centre, height, zero, table_zero = best * unit
    return GeluTable(
        slope=np.float32(slope),
        centre=np.uint8(centre),
        height=np.float32(height),
        x_zero=np.uint8(zero),
        table_zero=np.uint8(table_zero),
        factor=np.float32(factor[0]),
        y_zero=np.uint8(offset[0]),
    )


def _wanted(sample, scale, zero):
    """For each code of x: its share of the sample, and the mean of GELU over the values that become it."""
    codes = np.clip(np.rint(sample / scale) + zero, 0, 255).astype(np.int64)
    counts = np.bincount(codes, minlength=256).astype(np.float64)
    sums = np.bincount(codes, weights=gelu(sample), minlength=256)
    mean = np.where(counts > 0, sums / np.maximum(counts, 1), gelu((CODES - zero) * scale))
    shares = counts / counts.sum() + RARE
    return shares / shares.sum(), mean


def _evaluate(tried, weights, wanted, y_zero):
    """(mean squared error in steps of y, factor, y_zero) of every row; factor and y_zero are the best for the rest of the row."""
    slope, centre, height, x_zero, table_zero = (tried[:, i : i + 1] for i in range(5))
    table = np.minimum(np.rint(height / (1 + np.exp(-slope * (CODES - centre)))), 255)
    product = (CODES - x_zero) * (table - table_zero)
    mean, wanted_mean = (product * weights).sum(1, keepdims=True), (wanted * weights).sum()
    covariance = ((product - mean) * (wanted - wanted_mean) * weights).sum(1, keepdims=True)
    factor = np.maximum(covariance / (((product - mean) ** 2 * weights).sum(1, keepdims=True) + 1e-9), 1e-9)
    offset = np.clip(np.rint(wanted_mean - factor * mean), 0, 255)
    # The offset is a whole number: the factor makes up for its rounding.
    factor = (product * (wanted - offset) * weights).sum(1, keepdims=True) / ((product**2 * weights).sum(1, keepdims=True) + 1e-9)
    factor = np.maximum(factor, 1e-9)
    y = np.clip(np.rint(product * factor) + offset, 0, 255)
    return (weights * (y - wanted) ** 2).sum(1), factor[:, 0], offset[:, 0]
