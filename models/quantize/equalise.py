"""Cross-layer channel equalisation: exact in float, and worth most of what per-channel activation scales would bring.

The residual streams of both models are linear between convolutions (additions, pooling, squeeze-excite factors, ReLU): a channel
may be multiplied by any positive number where it is produced and divided by it where it is read. Giving all channels of a
stream about the same range lets one scale serve them all.
"""

import collections

import numpy as np

from graph import attribute
from ranges import collect_statistics

PASSES_CHANNELS_ON = ("GlobalAveragePool", "AveragePool", "Relu", "MaxPool", "Resize")

# Percentile, over the calibration images, of a channel's largest value: of a few dozen images nearly the largest, of thousands
# no longer one odd image's.
RANGE_PERCENTILE = 99.9

# No channel is stretched by more than this against the widest: a nearly dead one would be stretched without end.
MAX_STRETCH = 64.0


def equalise(graph, inputs):
    """Rescales the channels of every linear stream, in place."""
    groups = _linear_groups(graph)
    statistics = collect_statistics(graph, [t for tensors, _, _ in groups for t in tensors], inputs, samples=1)
    for tensors, producers, readers in groups:
        channels = graph.initializers[producers[0].input[1]].shape[0]
        share = np.zeros(channels)
        for tensor in tensors:
            if graph.produced_by(tensor, "GlobalAveragePool"):
                continue
            largest = np.percentile(statistics[tensor].channel_max, RANGE_PERCENTILE, axis=0) + 1e-9
            share = np.maximum(share, largest / largest.max())
        share = np.maximum(share / share.max(), 1 / MAX_STRETCH)
        factor = (share**-1.0).astype(np.float32)
        factor /= np.exp(np.log(factor).mean())
        for conv in producers:
            _multiply(graph, conv.input[1], factor[:, None, None, None])
            if len(conv.input) > 2 and conv.input[2]:
                _multiply(graph, conv.input[2], factor)
        for conv in readers:
            depthwise = attribute(conv, "group", 1) > 1
            _divide(graph, conv.input[1], factor[:, None, None, None] if depthwise else factor[None, :, None, None])


def _multiply(graph, name, factor):
    graph.initializers[name] = graph.initializers[name] * factor


def _divide(graph, name, factor):
    graph.initializers[name] = graph.initializers[name] / factor


def _linear_groups(graph):
    """Sets of tensors that must share their channel factors: (tensors, convolutions writing them, convolutions reading them).

    A set is left out where anything else than a convolution makes or reads one of its tensors.
    """
    groups = []
    for tensors in _connected_tensors(graph):
        members = set(tensors)
        if not all(_keeps_scaling(graph, tensor, members) for tensor in tensors):
            continue
        producers = [graph.producer[t] for t in tensors if graph.produced_by(t, "Conv")]
        readers = [c for t in tensors for c in graph.consumers[t] if c.op_type == "Conv" and c.input[0] == t]
        if producers and readers:
            groups.append((tensors, producers, readers))
    return groups


def _connected_tensors(graph):
    """Tensors joined by operations that keep a channel's scale."""
    graph.index()
    parent = {}

    def root(tensor):
        parent.setdefault(tensor, tensor)
        while parent[tensor] != tensor:
            tensor = parent[tensor]
        return tensor

    def join(a, b):
        parent[root(a)] = root(b)

    for node in graph.nodes:
        variable = not any(graph.is_constant(name) for name in node.input)
        if node.op_type == "Add" and variable:
            join(node.input[0], node.input[1])
            join(node.input[0], node.output[0])
        elif node.op_type == "Mul" and variable:
            gates = [name for name in node.input if graph.produced_by(name, "HardSigmoid")]
            if len(gates) == 1:
                join(next(name for name in node.input if name != gates[0]), node.output[0])
        elif node.op_type in PASSES_CHANNELS_ON:
            join(node.input[0], node.output[0])
        elif node.op_type == "Conv":
            root(node.output[0])
            root(node.input[0])
    groups = collections.defaultdict(list)
    for tensor in parent:
        groups[root(tensor)].append(tensor)
    return list(groups.values())


def _keeps_scaling(graph, tensor, members):
    """Whether scaling the channels of `members` is undone by every reader and done by every producer of `tensor`."""
    producer = graph.producer.get(tensor)
    if producer is None or tensor == graph.output:
        return False
    if producer.op_type == "Add":
        made_inside = all(name in members for name in producer.input)
    elif producer.op_type == "Mul":
        made_inside = any(name in members for name in producer.input)
    elif producer.op_type in PASSES_CHANNELS_ON:
        made_inside = producer.input[0] in members
    else:
        made_inside = producer.op_type == "Conv"

    def undone(reader):
        if reader.op_type == "Conv" and reader.input[0] == tensor:
            return True
        return reader.op_type in ("Add", "Mul", *PASSES_CHANNELS_ON) and reader.output[0] in members

    return made_inside and all(undone(reader) for reader in graph.consumers[tensor])
