"""Makes reference.json: what OpenCV computes for the inputs that reference.ts builds.

    pip install -r requirements.txt && python make-reference.py

Inputs come from the same integer generator in both languages, so only OpenCV's answers are committed. Run again only
when a case is added; the tests never call Python.
"""

import base64
import json
import math
import pathlib

import cv2
import numpy as np

THRESHOLD = 0.3
UNCLIP_RATIO = 1.6
MIN_THICKNESS = 3


def noise(seed, count):
    """Top bytes of a linear congruential generator (Numerical Recipes' constants)."""
    state, out = seed, np.empty(count, np.int64)
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out[i] = state >> 24
    return out


def blurred(values, radius):
    """Integer mean (rounded down) over a square of side 2 * radius + 1; the border value is repeated."""
    height, width = values.shape
    padded = np.pad(values, radius, mode="edge")
    total = np.zeros_like(values)
    side = 2 * radius + 1
    for dy in range(side):
        for dx in range(side):
            total += padded[dy : dy + height, dx : dx + width]
    return total // (side * side)


def noise_field(seed, width, height, radius):
    return blurred(noise(seed, width * height).reshape(height, width), radius)


def picture(seed, width, height, radius):
    """RGB planes of blurred noise, stretched around the middle so that it still has text-like contrast."""
    planes = [noise_field(seed + c, width, height, radius) for c in range(3)]
    stretched = [np.clip((plane - 128) * (2 * radius + 1) + 128, 0, 255) for plane in planes]
    return np.stack(stretched, axis=-1).astype(np.uint8)


def outer_contours(mask):
    """One outer contour for each 8-connected component, nested ones included, by their first pixel."""
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer = [c[:, 0, :] for c, h in zip(contours, hierarchy[0]) if h[3] == -1]
    return sorted(outer, key=lambda c: min((int(y), int(x)) for x, y in c))


def rectangles(hull):
    """Every rectangle with a side on a side of the hull, in float64: (area, corners sorted)."""
    found = []
    for i in range(len(hull)):
        a, b = hull[i].astype(float), hull[(i + 1) % len(hull)].astype(float)
        u = (b - a) / np.linalg.norm(b - a)
        v = np.array([-u[1], u[0]])
        pu, pv = hull @ u, hull @ v
        corners = [s * u + t * v for s in (pu.min(), pu.max()) for t in (pv.min(), pv.max())]
        found.append(((pu.max() - pu.min()) * (pv.max() - pv.min()), sorted((round(x, 6), round(y, 6)) for x, y in corners)))
    return found


def is_tie(hull):
    """Whether two different rectangles have the smallest area."""
    if len(hull) < 3:
        return False
    found = rectangles(hull)
    smallest = min(area for area, _ in found)
    best = [corners for area, corners in found if area <= smallest * (1 + 1e-9)]
    return any(np.abs(np.array(best[0]) - np.array(other)).max() > 1e-3 for other in best[1:])


def rounded(values, digits=4):
    return [round(float(v), digits) for v in np.ravel(values)]


def component_cases():
    cases = []
    for seed, radius, level in [(11, 0, 150), (12, 1, 140), (13, 2, 131), (14, 3, 128)]:
        field = noise_field(seed, 44, 36, radius)
        mask = (field > level).astype(np.uint8)
        components = []
        for contour in outer_contours(mask):
            hull = cv2.convexHull(contour)[:, 0, :]
            rect = cv2.minAreaRect(contour.astype(np.float32))
            components.append(
                {
                    "hull": [int(v) for p in sorted(map(tuple, hull.tolist())) for v in p],
                    "size": sorted(rounded(rect[1])),
                    "corners": rounded(cv2.boxPoints(rect)),
                    "tie": is_tie(hull),
                }
            )
        cases.append({"seed": seed, "radius": radius, "level": level, "width": 44, "height": 36, "components": components})
    return cases


def box_score_fast(probability, box):
    """PaddleOCR's box_score_fast: corners truncated to integers, filled with fillPoly, mean of the map inside."""
    height, width = probability.shape
    box = box.copy()
    xmin = np.clip(np.floor(box[:, 0].min()).astype(np.int32), 0, width - 1)
    xmax = np.clip(np.ceil(box[:, 0].max()).astype(np.int32), 0, width - 1)
    ymin = np.clip(np.floor(box[:, 1].min()).astype(np.int32), 0, height - 1)
    ymax = np.clip(np.ceil(box[:, 1].max()).astype(np.int32), 0, height - 1)
    mask = np.zeros((ymax - ymin + 1, xmax - xmin + 1), np.uint8)
    box[:, 0] -= xmin
    box[:, 1] -= ymin
    cv2.fillPoly(mask, box.reshape(1, -1, 2).astype(np.int32), 1)
    return cv2.mean(probability[ymin : ymax + 1, xmin : xmax + 1], mask)[0]


def kernel_cases():
    """The whole DB post-processing of PaddleOCR up to the unclip distance, on maps of blurred noise."""
    cases = []
    for seed, radius, gain in [(31, 2, 8), (32, 3, 12), (33, 4, 16)]:
        field = noise_field(seed, 96, 72, radius)
        level = np.clip((field - 128) * gain + 50, 0, 255)
        probability = (level / 255).astype(np.float32)
        mask = (probability > np.float32(THRESHOLD)).astype(np.uint8)
        mask = cv2.dilate(mask, np.ones((2, 2), np.uint8))
        kernels = []
        for contour in outer_contours(mask):
            rect = cv2.minAreaRect(contour.astype(np.float32))
            width, height = rect[1]
            if min(width, height) < MIN_THICKNESS:
                continue
            corners = cv2.boxPoints(rect)
            score = box_score_fast(probability, corners)
            distance = width * height * UNCLIP_RATIO / (2 * (width + height))
            tie = is_tie(cv2.convexHull(contour)[:, 0, :])
            kernels.append(
                {"corners": rounded(corners), "score": round(score, 4), "unclipDistance": round(distance, 4), "tie": tie}
            )
        cases.append({"seed": seed, "radius": radius, "gain": gain, "width": 96, "height": 72, "kernels": kernels})
    return cases


def score_cases():
    """Mean under fillPoly for quads with integer corners, where truncation changes nothing."""
    field = noise_field(41, 40, 32, 2)
    probability = (field / 255).astype(np.float32)
    quads = [
        [(4, 5), (30, 5), (30, 12), (4, 12)],
        [(6, 3), (34, 17), (30, 25), (2, 11)],
        [(20, 2), (36, 18), (24, 30), (8, 14)],
        [(10, 28), (13, 6), (18, 7), (15, 29)],
    ]
    return [{"corners": [v for p in q for v in p], "mean": round(box_score_fast(probability, np.array(q, float)), 5)} for q in quads]


def encoded(image):
    return base64.b64encode(np.ascontiguousarray(image).tobytes()).decode()


def resize_cases():
    cases = []
    source = picture(51, 41, 29, 0)
    for width, height, method in [
        (20, 14, "area"),
        (13, 9, "area"),
        (41, 7, "area"),
        (32, 28, "area"),
        (1, 1, "area"),
        (60, 40, "linear"),
        (41, 37, "linear"),
        (55, 11, "linear"),
    ]:
        flag = cv2.INTER_AREA if method == "area" else cv2.INTER_LINEAR
        out = cv2.resize(source, (width, height), interpolation=flag)
        cases.append({"width": width, "height": height, "method": method, "pixels": encoded(out)})
    return cases


def sample_cases():
    """Rectangles rectified by warpAffine.

    A quad's corners are pixel edges; OpenCV's coordinates are pixel centres at whole numbers. So output index i stands for
    (i + 0.5) / size along the quad, and 0.5 is taken from the position found in the source.
    """
    source = picture(61, 48, 40, 1)
    # Centre, size, angle in degrees, output size.
    shapes = [
        (24, 20, 26, 10, 0, 26, 10),
        (24.3, 19.6, 26, 10, 0, 39, 15),
        (23.5, 20.25, 30, 8, 23, 30, 8),
        (26, 18, 20, 12, -71, 25, 15),
        (5, 34, 24, 9, 12, 24, 9),
        (44, 4, 30, 12, 180, 20, 8),
    ]
    cases = []
    for cx, cy, w, h, angle, width, height in shapes:
        a = math.radians(angle)
        u, v = np.array([math.cos(a), math.sin(a)]), np.array([-math.sin(a), math.cos(a)])
        centre = np.array([cx, cy], float)
        origin = np.round(centre - u * w / 2 - v * h / 2, 5)
        right = np.round(centre + u * w / 2 - v * h / 2, 5)
        down = np.round(centre - u * w / 2 + v * h / 2, 5)
        step_x, step_y = (right - origin) / width, (down - origin) / height
        start = origin + 0.5 * step_x + 0.5 * step_y - 0.5
        matrix = np.array([[step_x[0], step_y[0], start[0]], [step_x[1], step_y[1], start[1]]])
        case = {"corners": rounded([origin, right, right + down - origin, down], 5), "width": width, "height": height}
        for name, flag in [("linear", cv2.INTER_LINEAR), ("cubic", cv2.INTER_CUBIC)]:
            out = cv2.warpAffine(
                source, matrix, (width, height), flags=flag | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
            )
            case[name] = encoded(out)
        cases.append(case)
    return cases


reference = {
    "opencv": cv2.__version__,
    "components": component_cases(),
    "kernels": kernel_cases(),
    "scores": score_cases(),
    "resize": resize_cases(),
    "samples": sample_cases(),
}
target = pathlib.Path(__file__).with_name("reference.json")
target.write_text(json.dumps(reference, separators=(",", ":")) + "\n")
for name, part in reference.items():
    print(name, len(json.dumps(part, separators=(",", ":"))))
print("components", [len(c["components"]) for c in reference["components"]], "ties", [sum(k["tie"] for k in c["components"]) for c in reference["components"]])
print("kernels", [len(c["kernels"]) for c in reference["kernels"]], "ties", [sum(k["tie"] for k in c["kernels"]) for c in reference["kernels"]])
