"""Whether the pack gives the same on another processor, for instance one without VNNI: run here, keep, run there, compare.

    python processors.py --keep here.npz
    python processors.py --compare here.npz      (there; README.md has the command for an emulated processor)

It also says whether the processor at hand saturates sums of two int8 products, which the pack's weights must never let happen.
"""

import argparse
import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import calibrate
from check import TEXT_THRESHOLD, charset, decode
from graph import IR_VERSION, OPSET, open_session

MODELS = pathlib.Path(__file__).resolve().parent.parent
SEED = "general-ocr processors 1"
LINES = 12
# A part of a page, so that an emulated run takes minutes.
PAGE_SIDE = 640

# Parts in float round differently, and a byte may fall to the other side; a saturated sum would be far off.
LEAST_SAME_PIXELS = 0.999


def outputs(folder):
    """Everything that is compared: probabilities of lines, and of the pixels of a page."""
    pages = calibrate.pages(SEED, 1)
    lines = [value for value, _ in calibrate.recognizer_inputs(pages, 1, SEED)][:LINES]
    page = calibrate.detector_inputs(pages, SEED)[0][:, :, :PAGE_SIDE, :PAGE_SIDE]
    recognizer, detector = (open_session(str(folder / f"{name}.onnx")) for name in ("recognizer", "detector"))
    results = {f"line {i}": _run(recognizer, value) for i, value in enumerate(lines)}
    return {**results, "page": _run(detector, page)}


def _run(session, value):
    return session.run(None, {session.get_inputs()[0].name: value})[0]


def saturates():
    """Whether a Gemm of largest bytes and weights comes out wrong on this processor."""
    rows, columns, depth = 8, 32, 64
    weight = np.full((depth, columns), 127, np.int8)
    constants = {
        "one": np.float32(1),
        "x_zero": np.uint8(0),
        "weight": weight,
        "scales": np.ones(columns, np.float32),
        "zeros": np.zeros(columns, np.int8),
    }
    node = helper.make_node(
        "QGemm", ["x", "one", "x_zero", "weight", "scales", "zeros"], ["y"], domain="com.microsoft"
    )
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [rows, depth])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, columns])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    y = _run(open_session(model.SerializeToString()), np.full((rows, depth), 255, np.uint8))
    return bool((y != 255 * 127 * depth).any())


def compare(here, there, characters):
    """Prints the differences; gives the faults."""
    faults = []
    for name, wanted in there.items():
        got = here[name]
        difference = np.abs(got - wanted).max()
        if name == "page":
            same = np.mean((got > TEXT_THRESHOLD) == (wanted > TEXT_THRESHOLD))
            print(f"page {got.shape[2:]}: {100 * same:.3f} % of the pixels on the same side, largest difference {difference:.2g}")
            if same < LEAST_SAME_PIXELS:
                faults.append(f"page: only {same:.2%} of the pixels are on the same side")
            continue
        texts = [decode(value[0].argmax(1), characters) for value in (got, wanted)]
        print(f"{name}: {texts[0]!r}, largest difference {difference:.2g}")
        if texts[0] != texts[1]:
            faults.append(f"{name}: {texts[0]!r} instead of {texts[1]!r}")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=pathlib.Path, default=MODELS / "pp-ocrv6-small-int8", help="folder of the pack")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--keep", type=pathlib.Path, help="file to write the outputs to")
    action.add_argument("--compare", type=pathlib.Path, help="file with the outputs of another processor")
    arguments = parser.parse_args()
    print(f"this processor {'saturates' if saturates() else 'does not saturate'} sums of products")
    results = outputs(arguments.pack)
    if arguments.keep:
        np.savez_compressed(arguments.keep, **results)
        return 0
    with np.load(arguments.compare) as there:
        faults = compare(results, dict(there), charset(arguments.pack / "recognizer.onnx"))
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
