"""PyTorch on the CPU with torch.func: Jacobians by vmap(jacrev) and their contraction, or vmapped NTK-vector products.

Steps that look at layers use H_l and Delta_l (`factors`), the others torch.func and autograd.
"""

import time

import numpy as np
import torch
from torch.func import functional_call, jacrev, jvp, vjp, vmap

import common

torch.set_num_threads(common.THREADS)
SCALE = common.WEIGHT_VARIANCE**0.5
BIAS_SCALE = common.BIAS_VARIANCE**0.5
# Pairs of samples and outputs that NTK-vector products look at in one vmap: each carries a vector of P numbers.
CHUNK_BYTES = 2**30


class Dense(torch.nn.Module):
    """x W^T sigma_w / sqrt(M_{l-1}), the NTK parameterisation."""

    def __init__(self, weight):
        super().__init__()
        self.weight = torch.nn.Parameter(weight)

    def forward(self, x):
        return torch.nn.functional.linear(x * (SCALE / self.weight.shape[1] ** 0.5), self.weight)


class Conv(torch.nn.Module):
    """A 3 x 3 convolution with padding "same", as XLA places it, in the NTK parameterisation, from a matrix [O, (h, w, I) and bias]."""

    def __init__(self, matrix, stride=1):
        super().__init__()
        self.stride = stride
        self.weight = torch.nn.Parameter(matrix[:, :-1].reshape(len(matrix), 3, 3, -1).permute(0, 3, 1, 2).contiguous())
        self.bias = torch.nn.Parameter(matrix[:, -1].contiguous())

    def forward(self, x):
        x = x * (SCALE / (9 * self.weight.shape[1]) ** 0.5)
        # With stride 2 an even size has its one row and column of padding after it.
        if self.stride == 2:
            x = torch.nn.functional.pad(x, (0, 1, 0, 1))
        pad = 1 if self.stride == 1 else 0
        return torch.nn.functional.conv2d(x, self.weight, self.bias * BIAS_SCALE, self.stride, pad)


class Readout(torch.nn.Module):
    """A dense layer with a bias on the average over all positions."""

    def __init__(self, matrix):
        super().__init__()
        self.weight = torch.nn.Parameter(matrix[:, :-1].contiguous())
        self.bias = torch.nn.Parameter(matrix[:, -1].contiguous())

    def forward(self, x):
        x = x.mean((2, 3)) * (SCALE / self.weight.shape[1] ** 0.5)
        return torch.nn.functional.linear(x, self.weight, self.bias * BIAS_SCALE)


class Block(torch.nn.Module):
    """ReLU, convolution, ReLU, convolution, added to a convolution of the input."""

    def __init__(self, first, second, shortcut, stride):
        super().__init__()
        relu = torch.nn.ReLU()
        self.main = torch.nn.Sequential(relu, Conv(first, stride), relu, Conv(second))
        self.shortcut = Conv(shortcut, stride)

    def forward(self, x):
        return self.main(x) + self.shortcut(x)


def image_network(name, weights):
    """The networks on images of peers/images.ts, on samples [N, 3, 32, 32], and their parameters by name."""
    relu = torch.nn.ReLU()
    if name == "cnn":
        layers = [layer for w, s in zip(weights, (1, 2, 2, 2)) for layer in (Conv(w, s), relu)]
    else:
        blocks = [weights[i : i + 3] for i in (1, 4, 7)]
        layers = [Conv(weights[0]), *(Block(*ws, s) for ws, s in zip(blocks, (1, 2, 2)))]
    net = torch.nn.Sequential(*layers, Readout(weights[-1]))
    return net, {name: p.detach() for name, p in net.named_parameters()}


def network(weights):
    """Dense, ReLU, ..., Dense, with its parameters by name."""
    layers = [layer for w in weights for layer in (Dense(w), torch.nn.ReLU())]
    net = torch.nn.Sequential(*layers[:-1])
    return net, {name: p.detach() for name, p in net.named_parameters()}


def jacobians(net, parameters, x):
    """J_l [N, C, M_l, M_{l-1}] of every layer: vmap over samples of the reverse-mode Jacobian."""

    def one(parameters, x):
        return functional_call(net, parameters, (x[None],))[0]

    return list(vmap(jacrev(one), (None, 0))(parameters, x).values())


def rows_of(jacobian):
    """J_l as a matrix [N C, M_l M_{l-1}]."""
    return jacobian.flatten(0, 1).flatten(1)


def vector_products(net, parameters, x):
    """Theta [N C, N C]: for every pair of samples and every output, back through one and forward through the other."""
    n = len(x)
    c = net(x[:1]).shape[1]
    eye = torch.eye(c)
    size = sum(p.numel() for p in parameters.values())
    chunk = max(1, CHUNK_BYTES // (4 * size * c))

    def pair(x1, x2):
        def at(x):
            return lambda p: functional_call(net, p, (x[None],))[0]

        _, back = vjp(at(x2), parameters)

        def product(cotangent):
            return jvp(at(x1), (parameters,), back(cotangent))[1]

        return vmap(product, out_dims=1)(eye)

    def row(x1):
        return vmap(pair, (None, 0), chunk_size=chunk)(x1, x)

    theta = torch.stack([row(x1) for x1 in x])
    return theta.permute(0, 2, 1, 3).reshape(n * c, n * c)


def empirical(net, parameters, x, variant):
    """Theta [N C, N C]."""
    if variant == "ntk_vector_products":
        return vector_products(net, parameters, x)
    return sum(j @ j.T for j in map(rows_of, jacobians(net, parameters, x)))


def factors(weights, x):
    """f [N, C], H_l [N, M_{l-1}] and Delta_l [N C, M_l] of every layer."""
    h, inputs, masks = x, [], []
    for layer, w in enumerate(weights):
        h = h * (SCALE / w.shape[1] ** 0.5)
        inputs.append(h)
        h = h @ w.T
        if layer + 1 < len(weights):
            masks.append(h > 0)
            h = torch.relu(h)
    n, c = h.shape
    delta = torch.eye(c).repeat(n, 1)
    signals = [delta]
    for w, mask in zip(weights[:0:-1], masks[::-1]):
        delta = (delta @ w) * (SCALE / w.shape[1] ** 0.5)
        delta = (delta.reshape(n, c, -1) * mask[:, None]).reshape(n * c, -1)
        signals.append(delta)
    return h, inputs, signals[::-1]


def layer_ntks(inputs, signals, c):
    """Theta_l = B_l o (A_l (x) 1 1^T) of every layer [N C, N C]."""
    return [
        (s @ s.T) * (h @ h.T).repeat_interleave(c, 0).repeat_interleave(c, 1) for h, s in zip(inputs, signals)
    ]


def linearize(net, parameters, x, n, variant):
    """f of all samples and Theta of the first n."""
    if variant == "factors":
        f, inputs, signals = factors(list(parameters.values()), x[:n])
        return torch.cat([f, net(x[n:])]), sum(layer_ntks(inputs, signals, f.shape[1]))
    return net(x), empirical(net, parameters, x[:n], variant)


def solve(gram, right, n, rho):
    """(gram / N + rho I)^-1 right, by Cholesky."""
    right = right if right.ndim > 1 else right[:, None]
    return torch.cholesky_solve(right, torch.linalg.cholesky(gram / n + rho * torch.eye(len(gram))))


def updates_of(net, parameters, x, y, method, rho, variant="jacobian_contraction"):
    """dW_l of every layer, for training samples x."""
    n, c = y.shape
    weights = list(parameters.values())
    if method == "gradient":
        with torch.enable_grad():
            loss = 0.5 / n * torch.sum((net(x) - y) ** 2)
            return torch.autograd.grad(loss, list(net.parameters()))
    if method == "exact" and variant == "ntk_vector_products":
        f, back = vjp(lambda p: functional_call(net, p, (x,)), parameters)
        v = solve(vector_products(net, parameters, x), (f - y).reshape(-1), n, rho)[:, 0] / n
        return list(back(v.reshape(n, c))[0].values())
    if method == "exact":
        blocks = [rows_of(j) for j in jacobians(net, parameters, x)]
        r = (net(x) - y).reshape(-1)
        v = solve(sum(j @ j.T for j in blocks), r, n, rho)[:, 0] / n
        return [(v @ j).reshape(w.shape) for j, w in zip(blocks, weights)]
    f, inputs, signals = factors(weights, x)
    r = (f - y).reshape(-1)
    if method in ("kfac", "unit_wise"):
        update = kfac_update if method == "kfac" else unit_wise_update
        return [update(h, s, r, n, c, rho) for h, s in zip(inputs, signals)]
    thetas = layer_ntks(inputs, signals, c)
    if method == "block_diagonal":
        v = [solve(theta, r, n, rho) for theta in thetas]
    else:
        depth, size = len(thetas), len(r)
        system = rho * torch.eye(depth * size)
        for i in range(depth):
            for k in range(max(0, i - 1), min(depth, i + 2)):
                system[i * size : (i + 1) * size, k * size : (k + 1) * size] += thetas[k] / n
        v = torch.linalg.solve(system, r.repeat(depth)).reshape(depth, size)
    rows = [(a.reshape(-1, 1) / n * s).reshape(n, c, -1).sum(1) for a, s in zip(v, signals)]
    return [u.T @ h for u, h in zip(rows, inputs)]


def kfac_update(h, s, r, n, c, rho):
    """dW [M_l, M_{l-1}] of one layer, through the Grams of its inputs and signals."""
    a, b = h @ h.T, s @ s.T
    pi = float(torch.sqrt((torch.trace(a) / h.shape[1]) / (torch.trace(b) / s.shape[1])))
    x_a = solve(a, torch.eye(n), n, rho**0.5 * pi)
    mixing = solve(b, (r / n)[:, None] * x_a.repeat_interleave(c, 0), n, rho**0.5 / pi)
    return s.T @ (mixing @ h)


def unit_wise_update(h, s, r, n, c, rho):
    """dW [M_l, M_{l-1}] of one layer: one N x N system per unit, all in one batch."""
    a = h @ h.T / n
    per_sample = s.reshape(n, c, -1)
    root = torch.sum(per_sample**2, 1).sqrt().T
    b = torch.einsum("ncm,nc->mn", per_sample, r.reshape(n, c))
    right = torch.where(root > 0, b / torch.where(root > 0, root, 1), 0)
    system = root[:, :, None] * a * root[:, None, :]
    system.diagonal(dim1=1, dim2=2).add_(rho)
    w = torch.cholesky_solve(right[..., None], torch.linalg.cholesky(system))[..., 0]
    return (root * w / n) @ h


def step(net, parameters, x, y, method, eta, rho, variant="jacobian_contraction"):
    """New weights by name."""
    updates = updates_of(net, parameters, x, y, method, rho, variant)
    return {name: torch.sub(w, d, alpha=eta) for (name, w), d in zip(parameters.items(), updates)}


def default_run(wanted, data):
    """Two steps of exact NGD and an evaluation, beside the analytic prediction."""
    n = wanted.N
    sizes = [784] + [wanted.width] * (wanted.depth - 1) + [wanted.C]
    if wanted.check:
        weights = [torch.from_numpy(w) for w in data.weights()]
    else:
        torch.manual_seed(1)
        weights = [torch.randn(fan_out, fan_in) for fan_in, fan_out in zip(sizes, sizes[1:])]
    net, parameters = network(weights)
    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y[:n])
    outputs = [net(x).numpy()]
    theta = common.analytic_ntk(data.x, data.x[:n], wanted.depth)
    predicted = common.predict_exact(theta[:n], theta[n:], outputs[0], data.y[:n], wanted.steps)
    for _ in range(wanted.steps):
        start = time.perf_counter()
        parameters = step(net, parameters, x[:n], y, "exact", 1.0, 0.0)
        common.emit("sample", seconds=time.perf_counter() - start)
        net, parameters = network(list(parameters.values()))
        outputs.append(net(x).numpy())
    common.report_table(outputs, predicted, data.y[:n], data.y[n:])
    common.emit("peak", bytes=common.peak_bytes())


def image_job(wanted, data):
    """The empirical kernel of a network on images, or a step of exact NGD."""
    net, parameters = image_network(wanted.network, [torch.from_numpy(w) for w in data.weights()])
    x = torch.from_numpy(data.x).reshape(-1, 32, 32, 3).permute(0, 3, 1, 2).contiguous()
    y = torch.from_numpy(data.y)
    if wanted.job == "images":
        common.compare(
            wanted, theta=common.measure(lambda: empirical(net, parameters, x, wanted.variant), wanted)
        )
        return
    settings = ("exact", wanted.learningRate, wanted.damping, wanted.variant)
    new = common.measure(lambda: step(net, parameters, x, y, *settings), wanted)
    common.compare(wanted, df=functional_call(net, new, (x,)) - net(x))


@torch.no_grad()
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
    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y[:n])
    net, parameters = network([torch.from_numpy(w) for w in data.weights()])
    if wanted.job == "linearize":
        f, theta = common.measure(lambda: linearize(net, parameters, x, n, wanted.variant), wanted)
        common.compare(wanted, f=f, theta=theta)
    elif wanted.job == "empirical":
        theta = common.measure(lambda: empirical(net, parameters, x[:n], wanted.variant), wanted)
        common.compare(wanted, theta=theta)
    else:
        new = common.measure(
            lambda: step(net, parameters, x[:n], y, wanted.method, wanted.learningRate, wanted.damping), wanted
        )
        common.compare(wanted, df=functional_call(net, new, (x,)) - net(x))


if __name__ == "__main__":
    main()
