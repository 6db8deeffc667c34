#!/usr/bin/env python3
"""Times `weir plan fit` beside SciPy on the Chinchilla form: many starts, each to the end.

Usage: Benchmarks/laws.py RUNS.csv [WEIR]    (columns n, d, loss; needs numpy and scipy)
SciPy runs L-BFGS-B on one thread, with the analytic and with a numeric gradient; Weir uses all threads and includes
reading the file and starting the program. Both report the objective (Huber, delta 1e-3, summed over log losses).
"""
import csv
import json
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.optimize import minimize

STARTS = 500
DELTA = 1e-3


def problem(path):
    with open(path) as file:
        rows = np.array([[float(row[name]) for name in ("n", "d", "loss")] for row in csv.DictReader(file)])
    n, d, loss = np.log(rows).T

    def objective(x):
        a, b, e, alpha, beta = x
        with np.errstate(over="ignore", invalid="ignore"):
            size, data = np.exp(a - alpha * n), np.exp(b - beta * d)
            total = np.exp(e) + size + data
            residual = np.log(total) - loss
            clamped = np.clip(residual, -DELTA, DELTA)
            slope = clamped / total
            gradient = [slope @ size, slope @ data, slope.sum() * np.exp(e), -(slope * size) @ n, -(slope * data) @ d]
        # Divided by delta squared, as in Weir: without, the default tolerances stop far from the minimum.
        return np.sum(clamped * (residual - clamped / 2)) / DELTA**2, np.array(gradient) / DELTA**2

    return objective


def scipy_fit(objective, starts, analytic):
    begin = time.perf_counter()
    best = np.inf
    for start in starts:
        function = objective if analytic else lambda x: objective(x)[0]
        best = min(best, minimize(function, start, jac=analytic or None, method="L-BFGS-B").fun)
    return time.perf_counter() - begin, best * DELTA**2


def weir_fit(weir, path):
    with tempfile.TemporaryDirectory() as folder:
        command = [weir, "plan", "fit", path, "--laws", "F5", "--starts", str(STARTS), "--refine", str(STARTS)]
        command += ["--no-hold-out", "--bootstrap", "0", "--quiet", "-o", folder + "/fit.json"]
        begin = time.perf_counter()
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - begin
        with open(folder + "/fit.json") as file:
            return seconds, json.load(file)["domains"][0]["candidates"][0]["objective"]


def main():
    path = sys.argv[1]
    weir = sys.argv[2] if len(sys.argv) > 2 else "weir"
    objective = problem(path)
    random = np.random.default_rng(0)
    starts = np.column_stack(
        [random.uniform(low, high, STARTS) for low, high in ((0, 25), (0, 25), (-1, 1), (0, 2), (0, 2))])
    for name, (seconds, value) in (
        ("weir", weir_fit(weir, path)),
        ("scipy, analytic gradient", scipy_fit(objective, starts, True)),
        ("scipy, numeric gradient", scipy_fit(objective, starts, False)),
    ):
        print(f"{name:26} {seconds:8.3f} s   objective {value:.9f}")


if __name__ == "__main__":
    main()
