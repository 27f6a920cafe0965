"""What a quantised pack must show before it is committed."""

import numpy as np
import onnx
from onnx import numpy_helper

from gptq import PAIR_LIMIT
from graph import attribute, open_session

# Detector: from this probability on a pixel is text (PaddleOCR's `thresh`).
TEXT_THRESHOLD = 0.3

# Bounds, about twice what the committed pack shows (README.md): they catch a broken run, not a slightly worse one.
MAX_LOST_LINES = 0.01
MIN_MASK_AGREEMENT = 0.96


def widest_pairs(path):
    """layer -> largest |sum| of two int8 weights that a VPMADDUBSW may add; depthwise layers do not use it and are left out."""
    graph = onnx.load(path).graph
    constants = {i.name: i for i in graph.initializer}
    weights = {}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            weights[node.output[0]] = node.input[0]
    widest = {}
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm") or node.input[1] not in weights or attribute(node, "group", 1) > 1:
            continue
        codes = numpy_helper.to_array(constants[weights[node.input[1]]]).astype(np.int32)
        rows = np.moveaxis(codes, 1, -1).reshape(len(codes), -1) if node.op_type == "Conv" else codes.T
        if rows.shape[1] > 1:
            widest[node.name] = int(np.abs(rows[:, :-1] + rows[:, 1:]).max())
    return widest


def compare_recognizers(float_path, int8_path, lines):
    """(right lines of the float model, of the int8 model, lines on which both agree), as shares; `lines` are (input, text)."""
    characters = charset(float_path)
    texts = [[_read(session, characters, value) for value, _ in lines] for session in _sessions(float_path, int8_path)]
    wanted = [_without_spaces(text) for _, text in lines]
    right = [np.mean([_without_spaces(t) == w for t, w in zip(ts, wanted, strict=True)]) for ts in texts]
    return right[0], right[1], np.mean([a == b for a, b in zip(*texts, strict=True)])


def compare_detectors(float_path, int8_path, inputs):
    """Intersection over union of the two models' text pixels, over all inputs."""
    both = either = 0
    sessions = _sessions(float_path, int8_path)
    for value in inputs:
        a, b = (s.run(None, {s.get_inputs()[0].name: value})[0] > TEXT_THRESHOLD for s in sessions)
        both += np.count_nonzero(a & b)
        either += np.count_nonzero(a | b)
    return both / either


def report(float_files, pack_files, lines, pages):
    """Prints the figures; gives the faults, none for a pack that may be committed."""
    faults = []
    for path in pack_files:
        pairs = widest_pairs(path)
        print(
            f"{path}: {len(pairs)} layers, largest sum of neighbouring weights {max(pairs.values())} (limit {PAIR_LIMIT})"
        )
        faults += [f"{path}: {name}: {total} > {PAIR_LIMIT}" for name, total in pairs.items() if total > PAIR_LIMIT]
    detector, recognizer = zip(float_files, pack_files, strict=True)
    agreement = compare_detectors(*detector, pages)
    print(
        f"detector: {100 * agreement:.2f} % of the text pixels are the same (intersection over union, {len(pages)} pages)"
    )
    if agreement < MIN_MASK_AGREEMENT:
        faults.append(f"the detectors agree on less than {MIN_MASK_AGREEMENT:.0%} of the text pixels")
    right_float, right_int8, same = compare_recognizers(*recognizer, lines)
    print(
        f"recognizer: right lines {100 * right_float:.2f} % in float, {100 * right_int8:.2f} % in int8; "
        f"the same text {100 * same:.2f} % ({len(lines)} lines)"
    )
    if right_int8 < right_float - MAX_LOST_LINES:
        faults.append(f"int8 loses more than {MAX_LOST_LINES:.0%} of the lines")
    return faults


def _sessions(*paths):
    return [open_session(path) for path in paths]


def charset(path):
    """Class -> character of a recognizer."""
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    return ["", *metadata["character"].split("\n"), " "]


def _read(session, characters, value):
    return decode(session.run(None, {session.get_inputs()[0].name: value})[0][0].argmax(1), characters)


def decode(best, characters):
    """Greedy CTC: the best class of each step, repetitions merged, blanks (class 0) dropped."""
    return "".join(characters[c] for i, c in enumerate(best) if c != 0 and (i == 0 or c != best[i - 1]))


def _without_spaces(text):
    return text.replace(" ", "")
