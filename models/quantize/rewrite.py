"""Rewrites that change nothing in float (beyond the last bits) and let onnxruntime's int8 kernels be used."""

import numpy as np
from onnx import helper

from graph import attribute

# The recognizer's last layer is the only one with so many columns (one for each class).
MANY_CLASSES = 10_000


def rewrite_recognizer(graph):
    _rewrite(graph, linear_to_gemm)


def rewrite_detector(graph):
    _rewrite(graph, upsampling_to_depth_to_space)


def _rewrite(graph, rewrite_head):
    fuse_gelu(graph)
    mean_to_global_pool(graph)
    rewrite_head(graph)
    give_each_conv_its_weights(graph)
    name_every_node(graph)
    graph.sort()
    graph.prune()


def fuse_gelu(graph):
    """Div, Erf, Add, Mul, Mul -> one com.microsoft.Gelu, which stays in float: one kernel instead of five passes over memory."""
    graph.index()
    for number, erf in enumerate([n for n in graph.nodes if n.op_type == "Erf"]):
        div = graph.producer[erf.input[0]]
        add = graph.consumers[erf.output[0]][0]
        product = graph.consumers[add.output[0]][0]
        half = graph.consumers[product.output[0]][0]
        if [n.op_type for n in (div, add, product, half)] != ["Div", "Add", "Mul", "Mul"]:
            raise ValueError("an Erf that is not part of a GELU")
        name = f"Gelu.{number}"
        gelu = helper.make_node("Gelu", [div.input[0]], [half.output[0]], name=name, domain="com.microsoft")
        graph.replace((div, erf, add, product, half), [gelu])


def mean_to_global_pool(graph):
    """ReduceMean over height and width -> GlobalAveragePool, for which there is an int8 kernel."""
    for node in graph.nodes:
        if node.op_type == "ReduceMean" and attribute(node, "axes") == [2, 3] and attribute(node, "keepdims", 1) == 1:
            node.op_type = "GlobalAveragePool"
            del node.attribute[:]


def linear_to_gemm(graph):
    """Recognizer, last layer: MatMul + Add over (lines, steps, features) -> Reshape, Gemm, Reshape.

    onnxruntime runs a quantised Gemm with float output and the bias fused; there is no such kernel for MatMul + Add.
    """
    graph.index()
    matmul = next(
        n
        for n in graph.nodes
        if n.op_type == "MatMul"
        and graph.is_constant(n.input[1])
        and graph.initializers[n.input[1]].shape[-1] > MANY_CLASSES
    )
    add = graph.consumers[matmul.output[0]][0]
    weight = graph.initializers[matmul.input[1]]
    bias = next(name for name in add.input if graph.is_constant(name))
    features, classes = weight.shape
    source = matmul.input[0]

    rows_shape = graph.constant(np.array([-1, features], np.int64), "shp")
    rows, scores = graph.fresh("fcx"), graph.fresh("fcy")
    gemm_weight = graph.constant(weight, "fcw")
    shape, lines_and_steps, full_shape = graph.fresh("fcs"), graph.fresh("fcs"), graph.fresh("fcs")
    begin = graph.constant(np.array([0], np.int64), "i0")
    end = graph.constant(np.array([2], np.int64), "i2")
    last = graph.constant(np.array([classes], np.int64), "iv")
    nodes = [
        helper.make_node("Reshape", [source, rows_shape], [rows], name="FC.reshape"),
        helper.make_node("Gemm", [rows, gemm_weight, bias], [scores], name="FC.gemm"),
        helper.make_node("Shape", [source], [shape], name="FC.shape"),
        helper.make_node("Slice", [shape, begin, end], [lines_and_steps], name="FC.slice"),
        helper.make_node("Concat", [lines_and_steps, last], [full_shape], name="FC.cat", axis=0),
        helper.make_node("Reshape", [scores, full_shape], [add.output[0]], name="FC.reshape2"),
    ]
    graph.replace((matmul, add), nodes)


def upsampling_to_depth_to_space(graph):
    """Detector, head: two 2x2 ConvTranspose layers of stride 2 -> two 1x1 convolutions at 1/4 resolution + DepthToSpace.

    Every pixel of the first ConvTranspose gives its own 2x2 block, and every one of those its own 2x2 block: the same
    multiplications, but convolutions have int8 kernels and the activations lie together.
    """
    graph.index()
    first, second = [n for n in graph.nodes if n.op_type == "ConvTranspose"]
    add1 = graph.consumers[first.output[0]][0]
    relu = graph.consumers[add1.output[0]][0]
    add2 = graph.consumers[second.output[0]][0]
    sigmoid = graph.consumers[add2.output[0]][0]
    if [n.op_type for n in (add1, relu, add2, sigmoid)] != ["Add", "Relu", "Add", "Sigmoid"]:
        raise ValueError("the detector's head is not the known one")

    def bias_of(add):
        return graph.initializers[next(name for name in add.input if graph.is_constant(name))].reshape(-1)

    weight1, weight2 = graph.initializers[first.input[1]], graph.initializers[second.input[1]]  # (in, out, 2, 2)
    bias1, bias2 = bias_of(add1), bias_of(add2)
    channels, middle = weight1.shape[:2]
    # Hidden channels are ordered sub-pixel (row i, column j) first, then by the old channel.
    conv1 = np.zeros((4 * middle, channels, 1, 1), np.float32)
    conv1_bias = np.zeros(4 * middle, np.float32)
    conv2 = np.zeros((16, 4 * middle, 1, 1), np.float32)
    for i in range(2):
        for j in range(2):
            block = slice((i * 2 + j) * middle, (i * 2 + j + 1) * middle)
            conv1[block, :, 0, 0] = weight1[:, :, i, j].T
            conv1_bias[block] = bias1
            for k in range(2):
                for m in range(2):
                    # Output pixel (4y + 2i + k, 4x + 2j + m), numbered as DepthToSpace in DCR mode takes it.
                    conv2[(2 * i + k) * 4 + (2 * j + m), block, 0, 0] = weight2[:, 0, k, m]

    hidden, active, logits, probabilities = (graph.fresh("head") for _ in range(4))
    one_by_one = {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0, 0, 0, 0], "group": 1, "dilations": [1, 1]}
    inputs1 = [first.input[0], graph.constant(conv1, "hw1"), graph.constant(conv1_bias, "hb1")]
    inputs2 = [active, graph.constant(conv2, "hw2"), graph.constant(np.repeat(bias2, 16), "hb2")]
    nodes = [
        helper.make_node("Conv", inputs1, [hidden], name="Head.1", **one_by_one),
        helper.make_node("Relu", [hidden], [active], name="Head.relu"),
        helper.make_node("Conv", inputs2, [logits], name="Head.2", **one_by_one),
        helper.make_node("Sigmoid", [logits], [probabilities], name="Head.sigmoid"),
        helper.make_node(
            "DepthToSpace", [probabilities], [sigmoid.output[0]], name="Head.d2s", blocksize=4, mode="DCR"
        ),
    ]
    graph.replace((first, add1, relu, second, add2, sigmoid), nodes)


def give_each_conv_its_weights(graph):
    """Convolutions that share a constant get copies, so that scaling one does not change the other."""
    for node in graph.nodes:
        if node.op_type != "Conv":
            continue
        for position, prefix in ((1, "w"), (2, "b")):
            if len(node.input) > position and graph.is_constant(node.input[position]):
                node.input[position] = graph.constant(graph.initializers[node.input[position]], prefix)


def name_every_node(graph):
    """Statistics are kept by node name, so each name must be there, once."""
    seen = set()
    for node in graph.nodes:
        if not node.name or node.name in seen:
            node.name = graph.fresh(node.op_type)
        seen.add(node.name)
