"""What the peers share: the request, the exported problem, timing, and the JSON lines that they answer with.

N samples are trained on, C outputs, L layers, M_l widths, P weights. f = sigma_w / sqrt(M) W_L relu(...), sigma_w^2 = 2,
no biases but in networks on images. A worker is started with one JSON argument and prints one JSON object per line:

    {"event": "compiled", "seconds": s}     what compilation took, once
    {"event": "ready"}                      warmed up; with `turns`, each repetition waits for a line on stdin
    {"event": "sample", "seconds": s}       one repetition, in the steady state
    {"event": "peak", "bytes": b}           greatest resident memory so far
    {"event": "difference", "value": d}     max |a - b| / max |b| against natgrad's result b
    {"event": "table", "rows": [...]}       the default run's table
"""

import json
import os
import re
import resource
import sys
import time
from types import SimpleNamespace

import numpy as np

WEIGHT_VARIANCE = 2.0
BIAS_VARIANCE = 0.1  # of networks on images
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def request():
    """The measurement wanted: job, variant, method, N, C, width, depth, learningRate, damping, folder, ..."""
    return SimpleNamespace(**{"turns": False, "network": None, **json.loads(sys.argv[1])})


def emit(event, **fields):
    """Prints one line of the answer."""
    print(json.dumps({"event": event, **fields}), flush=True)


def problem(wanted):
    """x [N + N', M_0], y [N, C] and a function that reads W_l [M_l, M_{l-1}], all float32, as natgrad exported them.

    With biases they are the last column. Columns of convolutions are (height, width, channel) of the kernel, x (height, width,
    channel) of the image.
    """
    archive = np.load(os.path.join(wanted.folder, "problem.npz"))

    def weights():
        return [archive[f"W{layer}"] for layer in range(1, wanted.depth + 1)]

    return SimpleNamespace(x=archive["x"], y=archive["y"], weights=weights)


def peak_bytes():
    """Greatest resident memory of this process."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status.read())[1])
    except OSError:
        scale = 1 if sys.platform == "darwin" else 1024
        return scale * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(run, wanted):
    """Repeats `run`, which returns when its result is there, after one call that warms it up; returns the last result."""
    deadline = time.perf_counter() + wanted.seconds
    result = run()
    emit("ready")
    for _ in sys.stdin if wanted.turns else range(wanted.repeats):
        result = None  # not two results at a time
        start = time.perf_counter()
        result = run()
        emit("sample", seconds=time.perf_counter() - start)
        if time.perf_counter() > deadline and not wanted.turns:
            break
    emit("peak", bytes=peak_bytes())
    return result


def compare(wanted, **results):
    """Prints how far results are from natgrad's arrays of the same names."""
    theirs = np.load(wanted.expected)
    difference = 0.0
    for name, result in results.items():
        expected = theirs[name].astype(np.float64)
        result = np.asarray(result, dtype=np.float64).reshape(expected.shape)
        value = float(np.abs(result - expected).max() / np.abs(expected).max())
        difference = value if np.isnan(value) else max(difference, value)
    emit("difference", value=difference if np.isfinite(difference) else None)


def analytic_ntk(x1, x2, depth, dtype=np.float64):
    """NTK of the infinitely wide network, rows of x1 [N', M_0] on rows of x2 [N, M_0]: arc-cosine kernels, Cho & Saul."""
    x1, x2 = x1.astype(dtype), x2.astype(dtype)
    scale = WEIGHT_VARIANCE / x1.shape[1]
    cov = scale * (x1 @ x2.T)
    var1, var2 = scale * np.sum(x1**2, axis=1), scale * np.sum(x2**2, axis=1)
    theta = cov.copy()
    for _ in range(depth - 1):
        norm = np.sqrt(np.outer(var1, var2))
        cosine = np.clip(cov / norm, -1, 1)
        angle = np.arccos(cosine)
        slope = WEIGHT_VARIANCE * (np.pi - angle) / (2 * np.pi)
        cov = WEIGHT_VARIANCE * norm * (np.sqrt(1 - cosine**2) + (np.pi - angle) * cosine) / (2 * np.pi)
        # sigma_w^2 E[phi^2] of one sample is sigma_w^2 / 2 of its variance.
        var1, var2 = WEIGHT_VARIANCE / 2 * var1, WEIGHT_VARIANCE / 2 * var2
        theta = cov + theta * slope
    return theta


def predict_exact(theta_train, theta_test, f0, y, steps):
    """Outputs of all samples after 0..steps steps of exact NGD with learning rate 1, by its linear recursion."""
    n = len(y)
    rows, coefficients = [f0], np.linalg.solve(theta_train, f0[:n] - y)
    after = np.concatenate([y, f0[n:] - theta_test @ coefficients])
    return rows + [after] * steps


def report_table(outputs, predicted, y, y_test):
    """Prints the default run's table: train and test loss beside their predictions after each step."""
    n = len(y)

    def losses(f):
        return [float(0.5 * np.mean(np.sum((a - b) ** 2, axis=1))) for a, b in ((f[:n], y), (f[n:], y_test))]

    emit("table", rows=[losses(f) + losses(p) for f, p in zip(outputs, predicted)])
