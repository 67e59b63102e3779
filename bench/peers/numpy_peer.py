"""NumPy with explicit Jacobians: what the paper's NumPy program does, written anew and without copies of J.

J [N C, P] of all layers is formed, row (n, c) of layer l being Delta_l[n, c] (x) H_l[n], and the Fisher matrix is inverted
through the N C x N C Gram J J^T.
"""

import time

import numpy as np

import common


def forward(weights, x):
    """Outputs, scaled inputs H_l [N, M_{l-1}] of every layer, and where its ReLU is open."""
    h, inputs, masks = x, [], []
    for layer, w in enumerate(weights):
        h = h * np.float32(np.sqrt(common.WEIGHT_VARIANCE / w.shape[1]))
        inputs.append(h)
        h = h @ w.T
        if layer + 1 < len(weights):
            masks.append(h > 0)
            h = np.maximum(h, 0, out=h)
    return h, inputs, masks


def signals_of(weights, masks, n, c):
    """Delta_l [N, C, M_l] = df_c(x_n) / du_l of every layer, by backpropagation."""
    delta = np.broadcast_to(np.eye(c, dtype=np.float32), (n, c, c))
    signals = [delta]
    for w, mask in zip(weights[:0:-1], masks[::-1]):
        scale = np.float32(np.sqrt(common.WEIGHT_VARIANCE / w.shape[1]))
        delta = ((delta.reshape(n * c, -1) @ w) * scale).reshape(n, c, -1) * mask[:n, None]
        signals.append(delta)
    return signals[::-1]


def jacobian_of(inputs, signals, n):
    """J [N C, P] of the given layers, written in place."""
    c = signals[0].shape[1]
    sizes = [s.shape[2] * h.shape[1] for s, h in zip(signals, inputs)]
    jacobian = np.empty((n, c, sum(sizes)), dtype=np.float32)
    end = 0
    for h, s, size in zip(inputs, signals, sizes):
        block = jacobian[:, :, end : end + size].reshape(n, c, s.shape[2], h.shape[1])
        assert np.shares_memory(block, jacobian)
        np.multiply(s[..., None], h[:n, None, None, :], out=block)
        end += size
    return jacobian.reshape(n * c, -1)


def linearize(weights, x, n):
    """f of all samples, and J of the first N."""
    f, inputs, masks = forward(weights, x)
    return f, jacobian_of(inputs, signals_of(weights, masks, n, f.shape[1]), n)


def damped(gram, n, rho):
    """gram / N + rho I in float64: N is small, and the Gram is not well conditioned."""
    return gram.astype(np.float64) / n + rho * np.eye(len(gram))


def subtract(weights, update, eta):
    """W - eta dW for an update [P]."""
    out, start = [], 0
    for w in weights:
        out.append(w - np.float32(eta) * update[start : start + w.size].reshape(w.shape))
        start += w.size
    return out


def step(method, weights, x, y, eta, rho):
    """One step; returns the new weights."""
    n = len(y)
    f, inputs, masks = forward(weights, x[:n])
    r = (f - y).reshape(-1).astype(np.float64)
    signals = signals_of(weights, masks, n, f.shape[1])
    if method == "gradient":
        rows = [np.einsum("nc,nco->no", (f - y) / n, s) for s in signals]
        return [w - np.float32(eta) * (u.T @ h) for w, u, h in zip(weights, rows, inputs)]
    if method == "exact":
        jacobian = jacobian_of(inputs, signals, n)
        v = np.linalg.solve(damped(jacobian @ jacobian.T, n, rho), r) / n
        return subtract(weights, v.astype(np.float32) @ jacobian, eta)
    if method == "kfac":
        return [
            w - np.float32(eta) * kfac_update(h, s, r, n, rho).astype(np.float32)
            for w, h, s in zip(weights, inputs, signals)
        ]
    jacobians = [jacobian_of([h], [s], n) for h, s in zip(inputs, signals)]
    grams = [j @ j.T for j in jacobians]
    if method == "block_diagonal":
        v = [np.linalg.solve(damped(g, n, rho), r) / n for g in grams]
    elif method == "block_tri_diagonal":
        depth, size = len(grams), len(r)
        system = rho * np.eye(depth * size)
        for i in range(depth):
            for k in range(max(0, i - 1), min(depth, i + 2)):
                system[i * size : (i + 1) * size, k * size : (k + 1) * size] += grams[k] / n
        v = np.linalg.solve(system, np.tile(r, depth)).reshape(depth, size) / n
    else:
        raise ValueError(method)
    rows = [a.astype(np.float32) @ j for a, j in zip(v, jacobians)]
    return [w - np.float32(eta) * u.reshape(w.shape) for w, u in zip(weights, rows)]


def kfac_update(h, s, r, n, rho):
    """dW of one layer, through the Grams of its inputs and signals."""
    c = s.shape[1]
    flat = s.reshape(n * c, -1)
    a, b = h @ h.T, flat @ flat.T
    pi = np.sqrt((np.trace(a) / h.shape[1]) / (np.trace(b) / flat.shape[1]))
    x_a = np.linalg.inv(damped(a, n, np.sqrt(rho) * pi))
    x_b = np.linalg.inv(damped(b, n, np.sqrt(rho) / pi))
    mixing = x_b @ ((r / n)[:, None] * np.repeat(x_a, c, axis=0))
    return flat.T @ (mixing.astype(np.float32) @ h)


def draw(wanted):
    """Weights as the program draws them: the last layer first."""
    sizes = [784] + [wanted.width] * (wanted.depth - 1) + [wanted.C]
    np.random.seed(1)
    pairs = list(zip(sizes, sizes[1:]))[::-1]
    return [np.random.randn(fan_out, fan_in).astype(np.float32) for fan_in, fan_out in pairs][::-1]


def default_run(wanted, data):
    """Two steps of exact NGD and an evaluation, beside the analytic prediction."""
    weights = data.weights() if wanted.check else draw(wanted)
    n = wanted.N
    y, y_test = data.y[:n], data.y[n:]
    outputs = [forward(weights, data.x)[0]]
    theta = common.analytic_ntk(data.x, data.x[:n], wanted.depth)
    predicted = common.predict_exact(theta[:n], theta[n:], outputs[0], y, wanted.steps)
    for _ in range(wanted.steps):
        start = time.perf_counter()
        weights = step("exact", weights, data.x, y, 1.0, 0.0)
        common.emit("sample", seconds=time.perf_counter() - start)
        outputs.append(forward(weights, data.x)[0])
    common.report_table(outputs, predicted, y, y_test)
    common.emit("peak", bytes=common.peak_bytes())


def main():
    wanted = common.request()
    data = common.problem(wanted)
    n = wanted.N
    if wanted.job == "default-run":
        default_run(wanted, data)
    elif wanted.job == "analytic":
        theta = common.measure(lambda: common.analytic_ntk(data.x[:n], data.x[:n], wanted.depth), wanted)
        common.compare(wanted, theta=theta)
    elif wanted.job in ("linearize", "empirical"):
        weights = data.weights()
        x = data.x if wanted.job == "linearize" else data.x[:n]

        def run():
            f, jacobian = linearize(weights, x, n)
            return f, jacobian @ jacobian.T

        f, theta = common.measure(run, wanted)
        common.compare(wanted, theta=theta, **({"f": f} if wanted.job == "linearize" else {}))
    else:
        weights = data.weights()
        y = data.y[:n]
        new = common.measure(
            lambda: step(wanted.method, weights, data.x, y, wanted.learningRate, wanted.damping), wanted
        )
        common.compare(wanted, df=forward(new, data.x)[0] - forward(weights, data.x)[0])


if __name__ == "__main__":
    main()
