"""JAX with Neural Tangents: kernels by nt.empirical_ntk_fn in its three implementations and by stax, steps under one jit.

Every function is compiled ahead of time, so that compilation is told apart from running. `factors` is what a JAX user would
write who knows natgrad's formulas: H_l and Delta_l of every layer, and no Jacobian.
"""

import sys
import time
import types

# An experimental module of Neural Tangents imports TensorFlow; nothing here uses it, and its import would take seconds.
sys.modules["neural_tangents.experimental"] = types.ModuleType("neural_tangents.experimental")

import jax
import jax.numpy as jnp
import neural_tangents as nt
import numpy as np
from neural_tangents import stax

import common

W_STD = common.WEIGHT_VARIANCE**0.5
B_STD = common.BIAS_VARIANCE**0.5
IMAGE = (32, 32, 3)
IMPLEMENTATIONS = {
    "jacobian_contraction": nt.NtkImplementation.JACOBIAN_CONTRACTION,
    "ntk_vector_products": nt.NtkImplementation.NTK_VECTOR_PRODUCTS,
    "structured_derivatives": nt.NtkImplementation.STRUCTURED_DERIVATIVES,
}


def network(width, depth, outputs):
    """(init_fn, apply_fn, kernel_fn) of Dense, Relu, ..., Dense in the NTK parameterisation, no biases."""
    layers = [layer for _ in range(depth - 1) for layer in (stax.Dense(width, W_STD), stax.Relu())]
    return stax.serial(*layers, stax.Dense(outputs, W_STD))


def image_network(name, channels, outputs):
    """The networks on images of peers/images.ts, on samples [N, 32, 32, 3]."""

    def conv(width, stride=1):
        return stax.Conv(width, (3, 3), (stride, stride), "SAME", W_STD, B_STD)

    def block(width, stride):
        main = stax.serial(stax.Relu(), conv(width, stride), stax.Relu(), conv(width))
        return stax.serial(stax.FanOut(2), stax.parallel(main, conv(width, stride)), stax.FanInSum())

    if name == "cnn":
        layers = [layer for stride in (1, 2, 2, 2) for layer in (conv(channels, stride), stax.Relu())]
    else:
        layers = [conv(16), block(channels, 1), block(2 * channels, 2), block(4 * channels, 2)]
    return stax.serial(*layers, stax.GlobalAvgPool(), stax.Dense(outputs, W_STD, B_STD))


def to_image_stax(init_fn, weights):
    """W_l [O, I + 1], the bias last, in the tree of `init_fn`: W and b of every layer, the main branch of a block first."""
    tree = init_fn(jax.random.PRNGKey(0), (-1, *IMAGE))[1]
    leaves, structure = jax.tree_util.tree_flatten(tree)
    parts = [part for w in weights for part in (w[:, :-1].T, w[:, -1])]
    shaped = [jnp.asarray(part.reshape(leaf.shape)) for part, leaf in zip(parts, leaves, strict=True)]
    return jax.tree_util.tree_unflatten(structure, shaped)


def to_stax(weights):
    """W_l [M_l, M_{l-1}] as stax keeps them: [M_{l-1}, M_l], no bias, and an empty tuple for each activation."""
    tree = []
    for w in weights:
        tree += [(jnp.asarray(np.ascontiguousarray(w.T)), None), ()]
    return tree[:-1]


def compile_timed(function, *arguments):
    """`function`, jitted and compiled for these arguments, and the seconds that took."""
    start = time.perf_counter()
    compiled = jax.jit(function).lower(*arguments).compile()
    return compiled, time.perf_counter() - start


def flat(theta):
    """[N', N, C, C] as [N' C, N C]."""
    n1, n2, c, _ = theta.shape
    return theta.transpose(0, 2, 1, 3).reshape(n1 * c, n2 * c)


def empirical_fn(apply_fn, variant):
    """(x1, x2, parameters) -> Theta [N' C, N C]."""
    # vmap_axes says that samples do not mix; without it the derivatives of every output by every sample are formed.
    kernel = nt.empirical_ntk_fn(apply_fn, trace_axes=(), vmap_axes=0, implementation=IMPLEMENTATIONS[variant])
    return lambda x1, x2, parameters: flat(kernel(x1, x2, parameters))


def factors(parameters, x):
    """f [N, C], H_l [N, M_{l-1}] and Delta_l [N C, M_l] of every layer, by a pass there and a pass back over all samples."""
    weights = [pair[0] for pair in parameters if pair]
    h, inputs, backs = x, [], []
    for layer, w in enumerate(weights):
        h = h * (W_STD / w.shape[0] ** 0.5)
        inputs.append(h)
        h = h @ w
        if layer + 1 < len(weights):
            h, back = jax.vjp(jax.nn.relu, h)
            backs.append(jax.vmap(back, in_axes=1, out_axes=1))
    n, c = h.shape
    delta = jnp.broadcast_to(jnp.eye(c, dtype=h.dtype), (n, c, c))
    signals = [delta]
    for w, back in zip(weights[:0:-1], backs[::-1]):
        delta = back((delta @ w.T) * (W_STD / w.shape[0] ** 0.5))[0]
        signals.append(delta)
    return h, inputs, [s.reshape(n * c, -1) for s in signals[::-1]]


def layer_ntks(inputs, signals, c):
    """Theta_l = B_l o (A_l (x) 1 1^T) of every layer [N C, N C]."""
    return [(s @ s.T) * jnp.repeat(jnp.repeat(h @ h.T, c, 0), c, 1) for h, s in zip(inputs, signals)]


def linearize_fn(apply_fn, variant, n):
    """(x, parameters) -> f of all samples and Theta of the first n."""

    def run(x, parameters):
        if variant == "factors":
            f, inputs, signals = factors(parameters, x[:n])
            f_test = apply_fn(parameters, x[n:])
            return jnp.concatenate([f, f_test]), sum(layer_ntks(inputs, signals, f.shape[1]))
        return apply_fn(parameters, x), empirical_fn(apply_fn, variant)(x[:n], None, parameters)

    return run


def solve(gram, r, n, rho):
    """(gram / N + rho I)^-1 r, by Cholesky."""
    factor = jax.scipy.linalg.cho_factor(gram / n + rho * jnp.eye(len(gram), dtype=gram.dtype), lower=True)
    return jax.scipy.linalg.cho_solve(factor, r)


def step_fn(apply_fn, method, rho, variant="structured_derivatives"):
    """(x, y, parameters, eta) -> new parameters; x are the training samples."""

    def subtract(parameters, update, eta):
        return jax.tree_util.tree_map(lambda w, d: w - eta * d, parameters, update)

    def step(x, y, parameters, eta):
        n, c = y.shape
        if method == "gradient":
            gradient = jax.grad(lambda p: 0.5 / n * jnp.sum((apply_fn(p, x) - y) ** 2))
            return subtract(parameters, gradient(parameters), eta)
        if method == "exact":
            f, back = jax.vjp(lambda p: apply_fn(p, x), parameters)
            theta = empirical_fn(apply_fn, variant)(x, None, parameters)
            v = solve(theta, (f - y).reshape(-1), n, rho) / n
            return subtract(parameters, back(v.reshape(n, c))[0], eta)
        # What is left looks at layers, which an apply_fn does not show: by H_l and Delta_l.
        f, inputs, signals = factors(parameters, x)
        r = (f - y).reshape(-1)
        if method == "kfac":
            updates = [kfac_update(h, s, r, n, c, rho) for h, s in zip(inputs, signals)]
        elif method == "unit_wise":
            updates = [unit_wise_update(h, s, r, n, c, rho) for h, s in zip(inputs, signals)]
        else:
            thetas = layer_ntks(inputs, signals, c)
            if method == "block_diagonal":
                v = [solve(theta, r, n, rho) / n for theta in thetas]
            else:
                zero = jnp.zeros_like(thetas[0])
                depth = range(len(thetas))
                system = jnp.block(
                    [[thetas[k] / n if abs(i - k) <= 1 else zero for k in depth] for i in depth]
                ) + rho * jnp.eye(len(thetas) * n * c)
                v = jnp.linalg.solve(system, jnp.tile(r, len(thetas))).reshape(len(thetas), -1) / n
            rows = [(a[:, None] * s).reshape(n, c, -1).sum(1) for a, s in zip(v, signals)]
            updates = [h.T @ u for h, u in zip(inputs, rows)]
        tree = []
        for update in updates:
            tree += [(update, None), ()]
        return subtract(parameters, tree[:-1], eta)

    return step


def kfac_update(h, s, r, n, c, rho):
    """dW [M_{l-1}, M_l] of one layer, through the Grams of its inputs and signals."""
    a, b = h @ h.T, s @ s.T
    pi = jnp.sqrt((jnp.trace(a) / h.shape[1]) / (jnp.trace(b) / s.shape[1]))
    # X_B E X_A, E[(n, c), n] = r_nc / N.
    x_a = solve(a, jnp.eye(n), n, rho**0.5 * pi)
    mixing = solve(b, (r / n)[:, None] * jnp.repeat(x_a, c, 0), n, rho**0.5 / pi)
    return (mixing @ h).T @ s


def unit_wise_update(h, s, r, n, c, rho):
    """dW [M_{l-1}, M_l] of one layer: one N x N system per unit, all in one batch."""
    a = h @ h.T / n
    per_sample = s.reshape(n, c, -1)
    root = jnp.sqrt(jnp.sum(per_sample**2, 1)).T  # [M, N]
    b = jnp.einsum("ncm,nc->mn", per_sample, r.reshape(n, c))
    right = jnp.where(root > 0, b / jnp.where(root > 0, root, 1), 0)
    system = root[:, :, None] * a * root[:, None, :] + rho * jnp.eye(n)
    lower = jnp.linalg.cholesky(system)
    w = jax.scipy.linalg.cho_solve((lower, True), right[..., None])[..., 0]
    return h.T @ (root * w / n).T


def default_run(wanted, data):
    """Two steps of exact NGD and an evaluation, beside the analytic prediction."""
    n = wanted.N
    init_fn, apply_fn, kernel_fn = network(wanted.width, wanted.depth, wanted.C)
    seconds = 0.0
    if wanted.check:
        parameters = to_stax(data.weights())
    else:
        init, took = compile_timed(lambda key: init_fn(key, (-1, 784))[1], jax.random.PRNGKey(1))
        seconds += took
        parameters = init(jax.random.PRNGKey(1))
    x, y, y_test = jnp.asarray(data.x), jnp.asarray(data.y[:n]), data.y[n:]
    forward, took = compile_timed(apply_fn, parameters, x)
    seconds += took
    kernel, took = compile_timed(lambda a, b: kernel_fn(a, b, "ntk"), x, x[:n])
    seconds += took
    step, took = compile_timed(step_fn(apply_fn, "exact", 0.0), x[:n], y, parameters, jnp.float32(1))
    common.emit("compiled", seconds=seconds + took)

    outputs = [np.asarray(forward(parameters, x))]
    theta = np.asarray(kernel(x, x[:n]), dtype=np.float64)
    predicted = common.predict_exact(theta[:n], theta[n:], outputs[0], data.y[:n], wanted.steps)
    for _ in range(wanted.steps):
        start = time.perf_counter()
        parameters = jax.block_until_ready(step(x[:n], y, parameters, jnp.float32(1)))
        common.emit("sample", seconds=time.perf_counter() - start)
        outputs.append(np.asarray(forward(parameters, x)))
    common.report_table(outputs, predicted, data.y[:n], y_test)
    common.emit("peak", bytes=common.peak_bytes())


def image_job(wanted, data):
    """The empirical kernel of a network on images, or a step of exact NGD."""
    init_fn, apply_fn, _ = image_network(wanted.network, wanted.width, wanted.C)
    parameters = to_image_stax(init_fn, data.weights())
    x = jnp.asarray(data.x.reshape(-1, *IMAGE))
    if wanted.job == "images":
        kernel = empirical_fn(apply_fn, wanted.variant)
        function, arguments = lambda x, p: kernel(x, None, p), (x, parameters)
    else:
        function = step_fn(apply_fn, "exact", wanted.damping, wanted.variant)
        arguments = (x, jnp.asarray(data.y), parameters, jnp.float32(wanted.learningRate))
    compiled, seconds = compile_timed(function, *arguments)
    common.emit("compiled", seconds=seconds)
    result = common.measure(lambda: jax.block_until_ready(compiled(*arguments)), wanted)
    if wanted.job == "images":
        common.compare(wanted, theta=result)
    else:
        common.compare(wanted, df=apply_fn(result, x) - apply_fn(parameters, x))


def main():
    wanted = common.request()
    data = common.problem(wanted)
    if wanted.network is not None:
        image_job(wanted, data)
        return
    if wanted.job == "default-run":
        default_run(wanted, data)
        return
    n = wanted.N
    _, apply_fn, kernel_fn = network(wanted.width, wanted.depth, wanted.C)
    x, y = jnp.asarray(data.x), jnp.asarray(data.y[:n])
    if wanted.job == "analytic":
        function, arguments = lambda x: kernel_fn(x, None, "ntk"), (x[:n],)
    elif wanted.job == "linearize":
        function, arguments = linearize_fn(apply_fn, wanted.variant, n), (x, to_stax(data.weights()))
    elif wanted.job == "empirical":
        kernel = empirical_fn(apply_fn, wanted.variant)
        function, arguments = lambda x, p: kernel(x, None, p), (x[:n], to_stax(data.weights()))
    else:
        parameters = to_stax(data.weights())
        function = step_fn(apply_fn, wanted.method, wanted.damping)
        arguments = (x[:n], y, parameters, jnp.float32(wanted.learningRate))
    compiled, seconds = compile_timed(function, *arguments)
    common.emit("compiled", seconds=seconds)
    result = common.measure(lambda: jax.block_until_ready(compiled(*arguments)), wanted)
    if wanted.job == "linearize":
        common.compare(wanted, f=result[0], theta=result[1])
    elif wanted.job == "step":
        common.compare(wanted, df=apply_fn(result, x) - apply_fn(parameters, x))
    else:
        common.compare(wanted, theta=result)


if __name__ == "__main__":
    main()
