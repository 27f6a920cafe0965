"""Makes the int8 model pack out of the float one: `python quantize.py --float FOLDER --out FOLDER`, or checks it: `--check`.

Both folders hold detector.onnx and recognizer.onnx as `npm run models -- pp-ocrv6-small` leaves them. See README.md.
"""

import os

# Before numpy is loaded: one thread, so that sums are always added in the same order and two runs give the same bytes.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse  # noqa: E402
import hashlib  # noqa: E402
import pathlib  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

import onnx  # noqa: E402

import calibrate  # noqa: E402
import check  # noqa: E402
from equalise import equalise  # noqa: E402
from gptq import input_moments  # noqa: E402
from graph import load_simplified  # noqa: E402
from qdq import QdqWriter, as_int8_gelus, choose_ranges, fit_gelus, plan_quantisation, store_float_weights_as_int8  # noqa: E402
from ranges import collect_statistics  # noqa: E402
from rewrite import rewrite_detector, rewrite_recognizer  # noqa: E402

MODELS = pathlib.Path(__file__).resolve().parent.parent

CALIBRATION_SEED = "general-ocr calibration 1"
CHECK_SEED = "general-ocr check 1"

# Two pages of each kind; 24 pages are about 15 megapixels for the detector.
ROUNDS = 2
LINES_PER_PAGE = 7
CHECK_ROUNDS = 2
CHECK_LINES_PER_PAGE = 25

# Values drawn from each tensor and rows drawn from each layer's input, per calibration input: pages have more to draw from.
DETECTOR_SAMPLES, DETECTOR_ROWS = 2000, 400
RECOGNIZER_SAMPLES, RECOGNIZER_ROWS = 400, 150


def quantise_detector(path, inputs):
    """The int8 detector as an ONNX model."""
    graph = load_simplified(path)
    rewrite_detector(graph)
    # Neither correction helped in the detector: its inputs differ too much from page to page. GELUs as tables make it 1.14
    # times as fast, and cost a spurious box, a line and 0.2 of E2E on the development set.
    return _quantise(graph, inputs, DETECTOR_SAMPLES, DETECTOR_ROWS, correct=False, tables=False).to_model()


def quantise_recognizer(path, inputs):
    """The int8 recognizer as an ONNX model, its dictionary in the metadata as before."""
    graph = load_simplified(path)
    rewrite_recognizer(graph)
    quantised = _quantise(graph, inputs, RECOGNIZER_SAMPLES, RECOGNIZER_ROWS, correct=True, tables=True)
    store_float_weights_as_int8(quantised)
    return quantised.to_model()


def _quantise(graph, inputs, samples, rows, correct, tables):
    """`tables`: whether GELUs become byte tables.

    `correct`: whether layers make up for the mean error of their weights, and those after a GELU for that of its table.
    """
    equalise(graph, inputs)
    plan = plan_quantisation(graph)
    statistics = collect_statistics(graph, plan.measured(), inputs, samples)
    ranges = choose_ranges(graph, plan, statistics)
    gelus = fit_gelus(graph, plan, ranges, statistics) if tables else {}
    moments = input_moments(graph, inputs, rows, as_int8_gelus(graph, ranges, gelus) if correct else {})
    return QdqWriter(graph, plan, ranges, gelus, moments, correct).write()


def make(float_folder, out):
    """Writes detector.onnx, recognizer.onnx and dictionary.txt and prints what the manifest says about them."""
    started = time.monotonic()
    pages = calibrate.pages(CALIBRATION_SEED, ROUNDS)
    lines = [value for value, _ in calibrate.recognizer_inputs(pages, LINES_PER_PAGE, CALIBRATION_SEED)]
    print(f"{len(pages)} calibration pages, {len(lines)} lines", file=sys.stderr)
    detector = quantise_detector(float_folder / "detector.onnx", calibrate.detector_inputs(pages, CALIBRATION_SEED))
    print(f"detector quantised, {time.monotonic() - started:.0f} s", file=sys.stderr)
    recognizer = quantise_recognizer(float_folder / "recognizer.onnx", lines)
    print(f"recognizer quantised, {time.monotonic() - started:.0f} s", file=sys.stderr)
    out.mkdir(parents=True, exist_ok=True)
    dictionary = next(entry.value for entry in recognizer.metadata_props if entry.key == "character")
    for name, content in (
        ("detector.onnx", detector.SerializeToString(deterministic=True)),
        ("recognizer.onnx", recognizer.SerializeToString(deterministic=True)),
        ("dictionary.txt", f"{dictionary}\n".encode()),
    ):
        (out / name).write_bytes(content)
        print(f'"file": "{name}", "bytes": {len(content)}, "sha256": "{hashlib.sha256(content).hexdigest()}"')
    for name in ("detector.onnx", "recognizer.onnx"):
        onnx.checker.check_model(str(out / name))


def check_pack(float_folder, out):
    """Exit status: 0 for a pack that may be committed."""
    pages = calibrate.pages(CHECK_SEED, CHECK_ROUNDS)
    lines = calibrate.recognizer_inputs(pages, CHECK_LINES_PER_PAGE, CHECK_SEED)
    names = ("detector.onnx", "recognizer.onnx")
    faults = check.report(
        [str(float_folder / name) for name in names],
        [str(out / name) for name in names],
        lines,
        calibrate.detector_inputs(pages, CHECK_SEED),
    )
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--float", type=pathlib.Path, default=MODELS / "pp-ocrv6-small", help="folder of the float pack"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, default=MODELS / "pp-ocrv6-small-int8", help="folder of the int8 pack"
    )
    parser.add_argument("--check", action="store_true", help="compare the int8 pack with the float one; writes nothing")
    arguments = parser.parse_args()
    if arguments.check:
        return check_pack(arguments.float, arguments.out)
    make(arguments.float, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
