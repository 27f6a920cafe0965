"""Trains the network of src/ocr/mark-judge.ts: train.py CELLS.json... (from scripts/mark-cells.ts).

Holds the last file back, prints what the network mends and breaks there, then trains on all of them and writes
src/ocr/mark-weights.ts.
"""
import difflib
import json
import pathlib
import sys

import numpy as np

MARKS = '，。、：；'
OTHER = len(MARKS)
HIDDEN, STEPS, DECAY, RATE = 8, 900, 2e-3, 0.02
FORMS = {',': '，', ':': '：', ';': '；', '．': '.'}


def load(file):
    """Inputs, true classes and read classes of the cells whose ideograph was read right."""
    inputs, true, read = [], [], []
    for line in json.loads(pathlib.Path(file).read_text()):
        written = [FORMS.get(c, c) for c in line['text'] if c != ' ']
        characters = [FORMS.get(c, c) for c in line['read']]
        place = {}
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, written, characters, autojunk=False).get_opcodes():
            if tag == 'equal' or (tag == 'replace' and i2 - i1 == j2 - j1):
                place.update(zip(range(j1, j2), range(i1, i2)))
        for cell in line['cells']:
            before = place.get(cell['index'] - 1)
            if before is None or written[before] != characters[cell['index'] - 1]:
                continue
            mark = written[before + 1] if before + 1 < len(written) else '\u3000'
            if mark not in MARKS and mark != '\u3000':
                continue
            inputs.append(cell['values'])
            true.append(MARKS.find(mark) % (OTHER + 1))
            read.append(MARKS.find(characters[cell['index']]) % (OTHER + 1))
    return np.array(inputs), np.array(true), np.array(read)


def train(inputs, true):
    """Full-batch Adam (Kingma and Ba 2015), with weight decay and a rate that falls to nothing."""
    rnd = np.random.default_rng(0)
    mean, deviation = inputs.mean(0), inputs.std(0) + 1e-3
    normal, target = (inputs - mean) / deviation, np.eye(OTHER + 1)[true]
    weights = [rnd.normal(0, 0.3, (normal.shape[1], HIDDEN)), np.zeros(HIDDEN)]
    weights += [rnd.normal(0, 0.3, (HIDDEN, OTHER + 1)), np.zeros(OTHER + 1)]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for step in range(1, STEPS + 1):
        hidden = np.tanh(normal @ weights[0] + weights[1])
        error = (softmax(hidden @ weights[2] + weights[3]) - target) / len(true)
        back = error @ weights[2].T * (1 - hidden * hidden)
        gradients = [normal.T @ back + DECAY * weights[0], back.sum(0)]
        gradients += [hidden.T @ error + DECAY * weights[2], error.sum(0)]
        rate = RATE * (1 - step / (STEPS + 1))
        for k, gradient in enumerate(gradients):
            first[k] = 0.9 * first[k] + 0.1 * gradient
            second[k] = 0.999 * second[k] + 0.001 * gradient**2
            moment, scale = first[k] / (1 - 0.9**step), np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8
            weights[k] = weights[k] - rate * moment / scale
    return [mean, deviation, *weights]


def softmax(scores):
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def judge(network, inputs):
    mean, deviation, w1, b1, w2, b2 = network
    return softmax(np.tanh((inputs - mean) / deviation @ w1 + b1) @ w2 + b2)


def report(network, inputs, true, read):
    probabilities = judge(network, inputs)
    print(f'{len(true)} marks, {(read != true).sum()} wrong')
    for sure in (0.5, 0.55, 0.6, 0.65, 0.7):
        change = (probabilities.max(1) >= sure) & (probabilities.argmax(1) != OTHER)
        judged = np.where(change, probabilities.argmax(1), read)
        mended, broken = ((read != true) & (judged == true)).sum(), ((read == true) & (judged != true)).sum()
        print(f'from {sure}: {mended} mended, {broken} broken')


def write(network):
    names = ['MEANS', 'DEVIATIONS', 'HIDDEN', 'HIDDEN_BIASES', 'OUTPUT', 'OUTPUT_BIASES']
    notes = ['Of each input.', '', 'Input by input, one weight for each hidden unit.', '']
    notes += ['Hidden unit by hidden unit, one weight for each mark.', '']
    parts = ['/** Weights of `mark-judge.ts`, written by models/marks/train.py. Do not edit. */\n']
    for name, note, values in zip(names, notes, network):
        numbers = ', '.join(f'{value:.4g}' for value in np.ravel(values))
        parts.append((f'/** {note} */\n' if note else '') + f'export const {name}: readonly number[] = [{numbers}];')
    file = pathlib.Path(__file__).parents[2] / 'src/ocr/mark-weights.ts'
    file.write_text('\n'.join(parts) + '\n')


if __name__ == '__main__':
    sets = [load(file) for file in sys.argv[1:]]
    together = [np.concatenate(parts) for parts in zip(*sets[:-1])]
    report(train(*together[:2]), *sets[-1])
    everything = [np.concatenate(parts) for parts in zip(*sets)]
    write(train(*everything[:2]))
