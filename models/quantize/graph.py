"""A thin editing layer over an ONNX graph: nodes as a list, initialisers as numpy arrays, everything else looked up."""

import collections
import copy
import os
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, version_converter

# Per-channel DequantizeLinear needs opset 13; 17 is the newest that changes nothing for these models.
OPSET = 17
IR_VERSION = 8


class Graph:
    """One float model with one input and one output. Names made here end in `_q<number>`, so they cannot clash."""

    def __init__(self, model):
        self.model = model
        self.initializers = {i.name: numpy_helper.to_array(i).copy() for i in model.graph.initializer}
        self.nodes = list(model.graph.node)
        self.input = model.graph.input[0].name
        self.output = model.graph.output[0].name
        self.counter = 0

    def successor(self):
        """An empty graph with the same interface and initialisers, for a rewritten list of nodes."""
        other = Graph.__new__(Graph)
        other.model = self.model
        other.initializers = dict(self.initializers)
        other.nodes = []
        other.input, other.output = self.input, self.output
        other.counter = self.counter + 100_000  # names of both graphs stay apart
        return other

    def fresh(self, prefix):
        """A new name."""
        self.counter += 1
        return f"{prefix}_q{self.counter}"

    def constant(self, value, prefix):
        """Adds an initialiser and gives its name."""
        name = self.fresh(prefix)
        self.initializers[name] = np.asarray(value)
        return name

    def index(self):
        """Builds `producer` (tensor -> node) and `consumers` (tensor -> nodes). Stale after every edit."""
        self.producer = {output: node for node in self.nodes for output in node.output}
        self.consumers = collections.defaultdict(list)
        for node in self.nodes:
            for name in node.input:
                self.consumers[name].append(node)

    def is_constant(self, name):
        return name in self.initializers

    def produced_by(self, tensor, op_type):
        """Whether `tensor` is the output of a node of this kind."""
        node = self.producer.get(tensor)
        return node is not None and node.op_type == op_type

    def replace(self, old, new):
        """Exchanges nodes; the order is mended."""
        self.nodes = [node for node in self.nodes if node not in old] + list(new)
        self.sort()

    def sort(self):
        """Orders the nodes so that every input exists before it is read; otherwise the order stays."""
        known = set(self.initializers) | {i.name for i in self.model.graph.input} | {""}
        waiting, ordered = self.nodes, []
        while waiting:
            rest = []
            for node in waiting:
                if all(name in known for name in node.input):
                    ordered.append(node)
                    known.update(node.output)
                else:
                    rest.append(node)
            if len(rest) == len(waiting):
                raise ValueError("the graph has a cycle or reads a tensor that nobody makes")
            waiting = rest
        self.nodes = ordered

    def prune(self):
        """Removes nodes whose results nobody reads."""
        while True:
            self.index()
            kept = [n for n in self.nodes if any(o == self.output or self.consumers[o] for o in n.output)]
            if len(kept) == len(self.nodes):
                return
            self.nodes = kept

    def to_model(self, extra_outputs=()):
        """The ONNX model; `extra_outputs` names float tensors that are to be readable besides the output."""
        self.sort()
        self.prune()
        used = {name for node in self.nodes for name in node.input}
        outputs = [copy.deepcopy(self.model.graph.output[0])]
        outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in extra_outputs]
        constants = [numpy_helper.from_array(v, k) for k, v in self.initializers.items() if k in used]
        graph = helper.make_graph(self.nodes, "g", [copy.deepcopy(self.model.graph.input[0])], outputs, constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        _copy_metadata(self.model, model)
        return model

    def session(self, extra_outputs=()):
        """Runs the graph in one thread: the order of additions, and so the result, does not depend on the machine's cores."""
        return open_session(self.to_model(extra_outputs).SerializeToString())


def open_session(model):
    """An onnxruntime session with one thread; `model` is a path or the serialised bytes."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def attribute(node, name, default=None):
    """The value of a node's attribute."""
    for entry in node.attribute:
        if entry.name == name:
            return helper.get_attribute_value(entry)
    return default


def load_simplified(path):
    """Loads a float model at OPSET with identities removed, batch norms folded and constants computed.

    onnxruntime's BASIC level does that, and nothing that ties the graph to a processor or a memory layout.
    """
    model = onnx.load(path)
    current = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    original = model
    if current < OPSET:
        model = version_converter.convert_version(model, OPSET)
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "source.onnx"), os.path.join(folder, "simplified.onnx")
        onnx.save(model, source)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = target
        options.log_severity_level = 3
        onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        simplified = onnx.load(target)
    _copy_metadata(original, simplified)  # the recognizer's dictionary; neither step promises to keep it
    return Graph(simplified)


def _copy_metadata(source, target):
    present = {entry.key for entry in target.metadata_props}
    for entry in source.metadata_props:
        if entry.key not in present:
            copied = target.metadata_props.add()
            copied.key, copied.value = entry.key, entry.value
