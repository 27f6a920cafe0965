"""int8 weights: scales, GPTQ rounding (Frantar et al., 2022, arXiv:2210.17323) and the limit that no processor overflows."""

import dataclasses

import numpy as np

from graph import attribute

# Largest code: symmetric, so -128 is not used.
LIMIT = 127

# VPMADDUBSW (AVX2, and AVX-512 without VNNI) adds two neighbouring products u8 x s8 in 16 bits and saturates. With
# |w1 + w2| <= 128 the sum is at most 255 * 128 = 32640 < 32767: every processor computes the same integers.
PAIR_LIMIT = 128

# Scales are chosen so that pairs of plainly rounded weights reach at most this; rounding adds up to 1, the rest is trimmed.
PAIR_TARGET = 126.0

# Share of the mean diagonal added to the second moments, which so few inputs do not determine. GPTQ's own is 0.01; the figures in
# README.md were reached with 0.05, and no other value was compared on the development set.
DAMPING = 0.05


@dataclasses.dataclass
class Moments:
    """Of the rows that a layer multiplies with its weights, as the int8 graph gives them; `float_` ones as the float graph does."""

    second: np.ndarray
    mean: np.ndarray
    # Only where they are known to differ: mean of the float rows, and of the products of float and int8 rows.
    float_mean: np.ndarray | None = None
    cross: np.ndarray | None = None


def input_moments(graph, inputs, rows, substitutes):
    """node name -> Moments for every Conv (as im2col) and Gemm.

    `rows` positions are drawn from each input (the seed is fixed). Grouped convolutions give one matrix for each channel.
    `substitutes`: tensor -> (tensor that it is computed from, function) for tensors that the int8 graph computes in another way.
    """
    graph.index()
    rng = np.random.default_rng(0)
    layers = [n for n in graph.nodes if n.op_type in ("Conv", "Gemm")]
    read = {n.input[0] for n in layers} | {source for source, _ in substitutes.values()}
    session = graph.session([t for t in sorted(read) if t != graph.input])
    names = [output.name for output in session.get_outputs()]
    sums = {}
    for value in inputs:
        results = dict(zip(names, session.run(None, {graph.input: value}), strict=True))
        results[graph.input] = value
        for node in layers:
            activations = results[node.input[0]]
            if node.op_type == "Gemm":
                x = activations[rng.integers(0, len(activations), min(rows, len(activations)))].astype(np.float64)
            elif node.input[0] in substitutes:
                source, function = substitutes[node.input[0]]
                both = np.concatenate([activations[0], function(results[source][0])])
                in_float, x = np.split(_patches(graph, node, both, rows, rng).astype(np.float64), 2, axis=1)
                _add(sums, (node.name, "float"), in_float.T @ x, in_float.sum(0), len(x))
            else:
                x = _patches(graph, node, activations[0], rows, rng).astype(np.float64)
            _add(sums, node.name, x.T @ x if x.ndim == 2 else np.einsum("rci,rcj->cij", x, x), x.sum(0), len(x))
    moments = {node.name: Moments(*_means(sums[node.name])) for node in layers}
    for node in layers:
        if node.input[0] in substitutes:
            moments[node.name].cross, moments[node.name].float_mean = _means(sums[node.name, "float"])
    return moments


def _add(sums, key, second, first, count):
    total = sums.setdefault(key, [0, 0, 0])
    sums[key] = [total[0] + second, total[1] + first, total[2] + count]


def _means(total):
    second, first, count = total
    return second / count, first / count


def refit(weight, bias, moments):
    """(weight, bias) of a Conv that come nearest to the float layer's output when given the int8 graph's rows: least squares.

    Ridge towards the given weight, as the rows do not determine everything.
    """
    rows = weight.reshape(len(weight), -1).astype(np.float64)
    covariance = moments.second - np.outer(moments.mean, moments.mean)
    cross = moments.cross - np.outer(moments.float_mean, moments.mean)
    ridge = np.eye(len(covariance)) * (DAMPING * np.diag(covariance).mean() + 1e-12)
    fitted = np.linalg.solve(covariance + ridge, (rows @ (cross + ridge)).T).T
    return fitted.reshape(weight.shape), bias + rows @ moments.float_mean - fitted @ moments.mean


def _patches(graph, conv, activations, rows, rng):
    """Random im2col rows of one image: (rows, channels x kernel), for grouped convolutions (rows, channels, kernel)."""
    kernel_h, kernel_w = graph.initializers[conv.input[1]].shape[2:]
    stride_y, stride_x = attribute(conv, "strides", [1, 1])
    pads = attribute(conv, "pads", [0] * 4)
    if attribute(conv, "auto_pad", b"NOTSET") == b"SAME_UPPER":
        if (stride_y, stride_x) != (1, 1):
            raise ValueError("SAME_UPPER padding is only known for stride 1 here")
        pads = [(kernel_h - 1) // 2, (kernel_w - 1) // 2, kernel_h // 2, kernel_w // 2]
    if any(pads):
        activations = np.pad(activations, ((0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    out_h = (activations.shape[1] - kernel_h) // stride_y + 1
    out_w = (activations.shape[2] - kernel_w) // stride_x + 1
    count = min(rows, out_h * out_w)
    y = rng.integers(0, out_h, count) * stride_y
    x = rng.integers(0, out_w, count) * stride_x
    taps = [activations[:, y + i, x + j] for i in range(kernel_h) for j in range(kernel_w)]
    patches = np.stack(taps, -1).transpose(1, 0, 2)
    return patches.reshape(count, -1) if attribute(conv, "group", 1) == 1 else patches


def quantise_weight(weight, op_type, depthwise, second_moment):
    """(codes in the shape of `weight`, float32 scale of each output) of a Conv (out, in, h, w) or a Gemm (in, out)."""
    if op_type == "Gemm":
        rows = weight.T
        scale = _safe_scale(rows, rows)
        codes = _gptq(rows, scale, second_moment)
        return np.ascontiguousarray(limit_pairs(codes).T), scale
    outputs = weight.shape[0]
    rows = weight.reshape(outputs, -1)
    if depthwise:
        # Depthwise kernels multiply in 16 bits and add in 32: no pairs.
        scale = _plain_scale(rows)
        return _gptq_depthwise(rows, scale, second_moment).reshape(weight.shape), scale
    scale = _safe_scale(rows, _in_memory_order(weight))
    codes = _gptq(rows, scale, second_moment).reshape(weight.shape)
    _, channels, height, width = weight.shape
    limited = limit_pairs(_in_memory_order(codes)).reshape(outputs, height, width, channels)
    return np.ascontiguousarray(np.moveaxis(limited, -1, 1)), scale


def _in_memory_order(weight):
    """(out, h x w x in): the order in which MLAS walks the reduction of an NHWC convolution."""
    return np.moveaxis(weight, 1, -1).reshape(weight.shape[0], -1)


def _plain_scale(rows):
    return ((np.abs(rows.astype(np.float64)).max(1) + 1e-12) / LIMIT).astype(np.float32)


def _safe_scale(rows, neighbours):
    """Scale of each output so that codes fit, and sums of codes next to each other in `neighbours` too."""
    scale = (np.abs(rows.astype(np.float64)).max(1) + 1e-12) / LIMIT
    if neighbours.shape[1] > 1:
        n = neighbours.astype(np.float64)
        scale = np.maximum(scale, np.abs(n[:, :-1] + n[:, 1:]).max(1) / PAIR_TARGET)
    return scale.astype(np.float32)


def _gptq(weight, scale, second_moment):
    """Rounds column by column, the best known input first, and lets the columns to come make up for each error."""
    weight, scale = weight.astype(np.float64).copy(), scale.astype(np.float64)
    columns = weight.shape[1]
    diagonal = np.diag(second_moment).copy()
    damped = second_moment + np.eye(columns) * (DAMPING * diagonal.mean() + 1e-12)
    order = np.argsort(-diagonal, kind="stable")
    weight, damped = weight[:, order], damped[np.ix_(order, order)]
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    codes = np.zeros_like(weight)
    for i in range(columns):
        codes[:, i] = np.clip(np.round(weight[:, i] / scale), -LIMIT, LIMIT)
        error = (weight[:, i] - codes[:, i] * scale) / upper[i, i]
        weight[:, i:] -= np.outer(error, upper[i, i:])
    restored = np.empty_like(codes)
    restored[:, order] = codes
    return restored.astype(np.int8)


def _gptq_depthwise(weight, scale, second_moments):
    """The same for one small matrix per channel, all channels at once."""
    weight = weight.astype(np.float64).copy()
    kernel = weight.shape[1]
    mean = np.einsum("cii->ci", second_moments).mean(1)
    damped = second_moments + np.eye(kernel)[None] * (DAMPING * mean + 1e-12)[:, None, None]
    upper = np.linalg.cholesky(np.linalg.inv(damped)).transpose(0, 2, 1)
    codes = np.zeros_like(weight)
    for i in range(kernel):
        codes[:, i] = np.clip(np.round(weight[:, i] / scale), -LIMIT, LIMIT)
        error = (weight[:, i] - codes[:, i] * scale) / upper[:, i, i]
        weight[:, i:] -= error[:, None] * upper[:, i, i:]
    return codes.astype(np.int8)


def limit_pairs(codes):
    """Trims the larger code of every neighbouring pair (along the rows) whose sum is beyond PAIR_LIMIT."""
    codes = codes.astype(np.int32)
    for k in range(codes.shape[1] - 1):
        total = codes[:, k] + codes[:, k + 1]
        excess = np.clip(np.abs(total) - PAIR_LIMIT, 0, None) * np.sign(total)
        second_is_larger = np.abs(codes[:, k + 1]) >= np.abs(codes[:, k])
        codes[:, k + 1] -= np.where(second_is_larger, excess, 0)
        codes[:, k] -= np.where(second_is_larger, 0, excess)
    return codes.astype(np.int8)


def store_as_int8(weight, output_axis):
    """(codes, scale of each output) for weights that are only stored in 8 bits: plain rounding, the best range."""
    rows = np.moveaxis(weight, output_axis, 0).astype(np.float64)
    flat = rows.reshape(rows.shape[0], -1)
    widest = (np.abs(flat).max(1) + 1e-12) / LIMIT
    best, best_error = widest.copy(), np.full(len(widest), 1e30)
    for share in np.linspace(0.8, 1.0, 9):
        scale = widest * share
        codes = np.clip(np.round(flat / scale[:, None]), -LIMIT, LIMIT)
        error = ((codes * scale[:, None] - flat) ** 2).sum(1)
        better = error < best_error
        best[better], best_error[better] = scale[better], error[better]
    best = best.astype(np.float32)
    codes = np.clip(np.round(flat / best[:, None].astype(np.float64)), -LIMIT, LIMIT).astype(np.int8)
    return np.ascontiguousarray(np.moveaxis(codes.reshape(rows.shape), 0, output_axis)), best
