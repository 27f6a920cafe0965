"""Which tensors become uint8, and the graph with QuantizeLinear / DequantizeLinear pairs that become int8 kernels.

In float stay: squeeze-excite convolutions (1x1 maps), attention and its softmax, the final sigmoid.
"""

import copy
import dataclasses

import numpy as np
from onnx import TensorProto, helper

from gelu_table import fit_gelu
from gptq import quantise_weight, refit, store_as_int8
from graph import attribute
from ranges import choose_range, choose_range_before_gelu

# Input pixels are (p / 255 - 0.5) / 0.5, 256 levels from -1 to 1. This scale with zero point 128 keeps them all apart but the two
# in the middle; a plain 2/255 would need a zero point of 127.5.
INPUT_RANGE = (np.float32(2 / 255 * 1.001), np.uint8(128))

# HardSigmoid gives 0..1.
GATE_RANGE = (np.float32(1 / 255), np.uint8(0))

OUTPUT_AXIS = {"Conv": 0, "Gemm": 1, "MatMul": 1}

# Weights of layers that stay float are stored in 8 bits when they have more values than this.
STORED_FROM = 500


@dataclasses.dataclass
class Plan:
    """Names of nodes computed in int8 and of tensors held in uint8."""

    nodes: set = dataclasses.field(default_factory=set)
    tensors: set = dataclasses.field(default_factory=set)
    after_relu: set = dataclasses.field(default_factory=set)
    # Tensors whose range follows from the operation, and tensors that take over the range of another one.
    known: dict = dataclasses.field(default_factory=dict)
    same_as: dict = dataclasses.field(default_factory=dict)

    def measured(self):
        """Tensors whose range has to be chosen from statistics."""
        return sorted(t for t in self.tensors if t not in self.known and t not in self.same_as)


def plan_quantisation(graph):
    """Convolutions and the Gemm in int8, and everything between them that has an int8 kernel and only reads uint8 tensors."""
    graph.index()
    plan = Plan()
    pooled = {n.output[0] for n in graph.nodes if n.op_type == "GlobalAveragePool"}
    for node in graph.nodes:
        if node.op_type == "Conv" and not _reads_pooled_map(graph, node, pooled):
            _plan_conv(graph, node, plan)
        elif node.op_type == "Gemm":
            plan.nodes.add(node.name)
            plan.tensors.add(node.input[0])
    extended = True
    while extended:
        extended = False
        for node in graph.nodes:
            if node.name not in plan.nodes and _extend(graph, node, plan):
                extended = True
    return plan


def _plan_conv(graph, node, plan):
    plan.nodes.add(node.name)
    plan.tensors.add(node.input[0])
    readers = graph.consumers[node.output[0]]
    if len(readers) == 1 and readers[0].op_type == "Relu":
        # onnxruntime folds a ReLU into the convolution's clipping, if only its result is quantised.
        plan.nodes.add(readers[0].name)
        plan.tensors.add(readers[0].output[0])
        plan.after_relu.add(readers[0].output[0])
    else:
        plan.tensors.add(node.output[0])


def _reads_pooled_map(graph, conv, pooled):
    """Whether this is a convolution of a squeeze-excite block: its map is 1x1, so int8 would only cost precision."""
    tensor = conv.input[0]
    while tensor not in pooled:
        producer = graph.producer.get(tensor)
        if producer is None or producer.op_type not in ("Relu", "Conv"):
            return False
        if producer.op_type == "Conv" and graph.initializers[producer.input[1]].shape[2:] != (1, 1):
            return False
        tensor = producer.input[0]
    return True


def _extend(graph, node, plan):
    """Adds a node whose variable inputs are all uint8 and which has an int8 kernel. Gives whether it was added."""
    output = node.output[0]
    if node.op_type in ("Add", "Mul"):
        if any(graph.is_constant(name) for name in node.input):
            return False
        gates = [name for name in node.input if graph.produced_by(name, "HardSigmoid")] if node.op_type == "Mul" else []
        if node.op_type == "Mul" and len(gates) != 1:
            return False
        if not all(name in plan.tensors for name in node.input if name not in gates):
            return False
        for gate in gates:
            plan.tensors.add(gate)
            plan.known[gate] = GATE_RANGE
    elif node.op_type == "Concat":
        if not all(name in plan.tensors for name in node.input):
            return False
    elif node.op_type in ("MaxPool", "Resize", "GlobalAveragePool", "AveragePool"):
        if node.input[0] not in plan.tensors:
            return False
        if node.op_type in ("MaxPool", "Resize"):
            plan.same_as[output] = node.input[0]
    else:
        return False
    plan.tensors.add(output)
    plan.nodes.add(node.name)
    return True


def choose_ranges(graph, plan, statistics):
    """tensor -> (scale, zero point) for every tensor of the plan."""
    graph.index()
    ranges = dict(plan.known)
    for tensor in plan.measured():
        if tensor == graph.input:
            ranges[tensor] = INPUT_RANGE
        elif tensor in plan.after_relu or graph.produced_by(tensor, "Relu"):
            ranges[tensor] = choose_range(statistics[tensor], after_relu=True)
        elif all(reader.op_type == "Gelu" for reader in graph.consumers[tensor]):
            ranges[tensor] = choose_range_before_gelu(statistics[tensor])
        else:
            ranges[tensor] = choose_range(statistics[tensor], after_relu=False)
    for tensor in plan.same_as:
        source = tensor
        while source in plan.same_as:
            source = plan.same_as[source]
        ranges[tensor] = ranges[source]
    return ranges


def fit_gelus(graph, plan, ranges, statistics):
    """node name -> GeluTable for every GELU between two uint8 tensors."""
    between = [n for n in graph.nodes if n.op_type == "Gelu" and {n.input[0], n.output[0]} <= plan.tensors]
    return {n.name: fit_gelu(statistics[n.input[0]].sample, ranges[n.input[0]], ranges[n.output[0]]) for n in between}


def as_int8_gelus(graph, ranges, gelus):
    """GELU's output -> (its input, what the tables make of that): for gptq.input_moments."""

    def function(node, table):
        (x_scale, x_zero), (y_scale, y_zero) = ranges[node.input[0]], ranges[node.output[0]]
        values = ((table.codes() - y_zero) * y_scale).astype(np.float32)
        return lambda x: values[np.clip(np.rint(x / x_scale) + x_zero, 0, 255).astype(np.uint8)]

    nodes = [n for n in graph.nodes if n.name in gelus]
    return {n.output[0]: (n.input[0], function(n, gelus[n.name])) for n in nodes}


class QdqWriter:
    """Writes the quantised graph node by node."""

    def __init__(self, graph, plan, ranges, gelus, moments, correct_bias):
        """`moments` as gptq.input_moments gives them; `correct_bias` moves the mean error of the weights into the bias."""
        self.graph, self.plan, self.ranges, self.gelus, self.moments = graph, plan, ranges, gelus, moments
        self.correct_bias = correct_bias
        self.out = graph.successor()
        self.parameters = {}
        for tensor in sorted(plan.tensors):
            scale, zero_point = ranges[tensor]
            self.parameters[tensor] = (self.out.constant(scale, "s"), self.out.constant(zero_point, "z"))
        self.readings = {}

    def write(self):
        """The quantised graph."""
        for original in self.graph.nodes:
            node = copy.deepcopy(original)
            if node.name in self.plan.nodes and node.op_type in ("Conv", "Gemm"):
                self._write_weighted(node)
            elif node.name in self.gelus:
                self._write_gelu(node, self.gelus[node.name])
            else:
                inputs = [self._read(name) for name in node.input]
                del node.input[:]
                node.input.extend(inputs)
                self.out.nodes.append(node)
        return self.out

    def _read(self, tensor):
        """Name under which a tensor is read: after quantising and dequantising it, if the plan says so."""
        if tensor not in self.plan.tensors:
            return tensor
        if tensor not in self.readings:
            quantised = self._quantise(tensor)
            if tensor == self.graph.input:
                quantised = self._pad_channels(quantised, self.parameters[tensor][1])
            self.readings[tensor] = self._dequantise(quantised, tensor)
        return self.readings[tensor]

    def _quantise(self, tensor):
        quantised = self.out.fresh("Q")
        self._add("QuantizeLinear", [tensor, *self.parameters[tensor]], quantised)
        return quantised

    def _dequantise(self, quantised, tensor):
        dequantised = self.out.fresh("DQ")
        self._add("DequantizeLinear", [quantised, *self.parameters[tensor]], dequantised)
        return dequantised

    def _write_gelu(self, node, table):
        """The kernels take any scales and zero points, so what they compute need not be what the tensors' own say."""
        x, y = node.input[0], node.output[0]
        one, zero = self.out.constant(np.float32(1), "g"), self.out.constant(np.uint8(0), "g")
        slope, centre = self.out.constant(table.slope, "g"), self.out.constant(table.centre, "g")
        step = self.out.constant(np.float32(1) / table.height, "g")
        x_zero, table_zero = self.out.constant(table.x_zero, "g"), self.out.constant(table.table_zero, "g")
        factor, y_zero = self.out.constant(table.factor, "g"), self.out.constant(table.y_zero, "g")
        quantised, looked_up, product = self._quantise(x), self.out.fresh("lut"), self.out.fresh("gelu")
        self._add("QLinearSigmoid", [quantised, slope, centre, step, zero], looked_up, domain="com.microsoft")
        factors = [quantised, factor, x_zero, looked_up, one, table_zero]
        self._add("QLinearMul", [*factors, one, y_zero], product, domain="com.microsoft")
        self.readings[y] = self._dequantise(product, y)

    def _pad_channels(self, quantised, zero_point):
        """3 -> 4 image channels, the fourth with zero weights: bit-exact, and MLAS convolves directly only for multiples of 4."""
        padded = self.out.fresh("P")
        pads = self.out.constant(np.array([0, 0, 0, 0, 0, 1, 0, 0], np.int64), "pads")
        self._add("Pad", [quantised, pads, zero_point], padded, mode="constant")
        return padded

    def _add(self, op_type, inputs, output, **attributes):
        self.out.nodes.append(helper.make_node(op_type, inputs, [output], name=output, **attributes))

    def _write_weighted(self, node):
        weight, tensor = self.graph.initializers[node.input[1]], node.input[0]
        axis = OUTPUT_AXIS[node.op_type]
        depthwise = node.op_type == "Conv" and attribute(node, "group", 1) > 1
        moments = self.moments[node.name]
        has_bias = len(node.input) > 2
        bias = self.graph.initializers[node.input[2]].astype(np.float64) if has_bias else 0.0
        if moments.cross is not None:
            weight, bias = refit(weight, bias, moments)
            has_bias = True
        codes, scale = quantise_weight(weight, node.op_type, depthwise, moments.second)
        if self.correct_bias:
            bias = bias - _mean_output_error(weight, codes, scale, axis, depthwise, moments.mean)
            has_bias = True
        if tensor == self.graph.input:
            codes = np.concatenate([codes, np.zeros_like(codes[:, :1])], 1)

        inputs = [self.out.constant(codes, "wq"), self.out.constant(scale, "ws")]
        inputs.append(self.out.constant(np.zeros(len(scale), np.int8), "wz"))
        dequantised = self.out.fresh("wd")
        self._add("DequantizeLinear", inputs, dequantised, axis=axis)
        node_inputs = [self._read(tensor), dequantised]
        if has_bias:
            node_inputs.append(self._write_bias(bias, self.ranges[tensor][0].astype(np.float64) * scale))
        del node.input[:]
        node.input.extend(node_inputs)
        self.out.nodes.append(node)

    def _write_bias(self, bias, scale):
        codes = np.clip(np.round(bias / scale), -(2**31) + 1, 2**31 - 1).astype(np.int32)
        inputs = [self.out.constant(codes, "bq"), self.out.constant(scale.astype(np.float32), "bs")]
        dequantised = self.out.fresh("bd")
        self._add("DequantizeLinear", inputs, dequantised, axis=0)
        return dequantised


def _mean_output_error(weight, codes, scale, axis, depthwise, mean):
    """What the rounding of the weights adds to each output for the mean input."""
    shape = [-1 if a == axis else 1 for a in range(weight.ndim)]
    error = codes.astype(np.float64) * scale.reshape(shape) - weight
    if axis == OUTPUT_AXIS["Gemm"]:
        return error.T @ mean
    error = error.reshape(len(scale), -1)
    return (error * mean).sum(1) if depthwise else error @ mean.reshape(-1)


def store_float_weights_as_int8(graph):
    """Weights of layers that compute in float are stored in 8 bits and expanded when the model is loaded."""
    for node in list(graph.nodes):
        if node.op_type not in OUTPUT_AXIS or not graph.is_constant(node.input[1]):
            continue
        weight = graph.initializers[node.input[1]]
        if weight.size <= STORED_FROM:
            continue
        axis = OUTPUT_AXIS[node.op_type]
        codes, scale = store_as_int8(weight, axis)
        shape = [-1 if a == axis else 1 for a in range(weight.ndim)]
        as_float, expanded = graph.fresh("wc"), graph.fresh("wf")
        code_name = graph.constant(codes, "w8")
        cast = helper.make_node("Cast", [code_name], [as_float], name=as_float, to=TensorProto.FLOAT)
        factors = graph.constant(scale.reshape(shape), "w8s")
        graph.nodes += [cast, helper.make_node("Mul", [as_float, factors], [expanded], name=expanded)]
        node.input[1] = expanded
