"""PyTorch counterparts of `cases`: same layer tables, batches and updates, channels last, fused Adam.

float32, or bfloat16 under CPU autocast. Nothing is compiled: torch.compile has no second derivatives.
"""
from __future__ import annotations

from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import peers_networks as nets


class Way:
    """How a case is run.

    Args:
        precision: 'float32' or 'bfloat16'.
    """

    def __init__(self, precision: str):
        self.amp = precision == "bfloat16"

    def cast(self):
        """What a network's pass is inside of."""
        return torch.autocast("cpu", torch.bfloat16) if self.amp else nullcontext()

    def place(self, module):
        """A network in this way's memory layout."""
        return module.to(memory_format=torch.channels_last)

    def images(self, n: int, size: int, channels: int = 3):
        """Random images in [-1, 1]."""
        return (torch.rand(n, channels, size, size) * 2 - 1).to(memory_format=torch.channels_last)


def adam(module, lr=2e-4, betas=(0.5, 0.999)):
    return torch.optim.Adam(module.parameters(), lr=lr, betas=betas, fused=True)


def trainable(module, on):
    for p in module.parameters():
        p.requires_grad_(on)


def descend(optimizer, loss):
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def rpgan(way, k, df, batch, project=True, f=1024, size=64):
    g = way.place(nets.RPGenerator(f=f, size=size))
    side, channels = (size // 2, 1) if project else (size, 3)
    ds = nn.ModuleList([way.place(nets.rp_discriminator(side, channels, df)) for _ in range(k)])
    filters = torch.randn(k, 3, 8, 8) / 8 if project else None
    real, og, od = way.images(batch, size), adam(g), adam(ds)

    def views(x):
        return F.conv2d(x, filters, stride=2, padding=3).split(1, 1) if project else [x]

    def step():
        z = torch.rand(2, batch, 100) * 2 - 1
        trainable(ds, False)
        with way.cast():
            seen = views(g(z[0]))
            loss = sum(F.softplus(-d(x).float()).mean() for d, x in zip(ds, seen)) / k
        descend(og, loss)
        trainable(ds, True)
        with torch.no_grad(), way.cast():
            fake = g(z[1])
            seen = views(torch.cat([real, fake.to(real.dtype)]))
        od.zero_grad(set_to_none=True)
        for d, x in zip(ds, seen):
            with way.cast():
                r, f_ = d(x.contiguous(memory_format=torch.channels_last)).float().chunk(2)
                each = (F.softplus(-r).mean() + F.softplus(f_).mean()) / 2
            each.backward()
        od.step()
    return step


def js_d_loss(d, real, fake, gamma=0.1):
    total = 0.0
    for x, sign in ((real, 1), (fake, -1)):
        x = x.detach().requires_grad_()
        logits = d(x).float().reshape(-1)
        slope, = torch.autograd.grad(logits.sum(), x, create_graph=True)
        p = torch.sigmoid(-sign * logits)
        squares = slope.float().square().flatten(1).sum(1)
        total = total + F.softplus(-sign * logits).mean() + gamma / 2 * (p.square() * squares).mean()
    return total


def js_step(way, g, d, og, od, real, latent):
    def step():
        trainable(d, False)
        with way.cast():
            loss = F.softplus(-d(g(latent())).float()).mean()
        descend(og, loss)
        trainable(d, True)
        with way.cast():
            with torch.no_grad():
                fake = g(latent())
            loss = js_d_loss(d, real(), fake.float())
        descend(od, loss)
    return step


def dcgan(way, batch, z):
    def up(i, o):
        return nn.ConvTranspose2d(i, o, 5, 2, 2, 1)

    def down(i, o):
        return nn.Conv2d(i, o, 5, 2, 2)

    g = nn.Sequential(nn.Linear(z, 16 * 512), nets.Reshape(512, 4, 4), nn.BatchNorm2d(512), nn.ReLU(),
                      up(512, 256), nn.BatchNorm2d(256), nn.ReLU(), up(256, 128), nn.BatchNorm2d(128),
                      nn.ReLU(), up(128, 64), nn.BatchNorm2d(64), nn.ReLU(), up(64, 3), nn.Tanh())
    d = nn.Sequential(down(3, 64), nn.LeakyReLU(0.2), down(64, 128), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
                      down(128, 256), nn.BatchNorm2d(256), nn.LeakyReLU(0.2), down(256, 512),
                      nn.BatchNorm2d(512), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16 * 512, 1))
    g, d = way.place(g), way.place(d)
    real = way.images(batch, 64)
    return js_step(way, g, d, adam(g), adam(d), lambda: real, lambda: torch.randn(batch, z))


def resnet64(way, batch, d=64):
    up, down = (lambda i, o: nets.Block64(i, o, True)), (lambda i, o: nets.Block64(i, o, False))
    g = nn.Sequential(nn.Linear(128, 128 * d), nets.Reshape(8 * d, 4, 4), up(8 * d, 8 * d), up(8 * d, 4 * d),
                      up(4 * d, 2 * d), up(2 * d, d), nn.BatchNorm2d(d), nn.ReLU(), nn.Conv2d(d, 3, 3, 1, 1),
                      nn.Tanh())
    c = nn.Sequential(nn.Conv2d(3, d, 3, 1, 1), down(d, 2 * d), down(2 * d, 4 * d), down(4 * d, 8 * d),
                      down(8 * d, 8 * d), nn.Flatten(), nn.Linear(128 * d, 1))
    g, c = way.place(g), way.place(c)
    real = way.images(batch, 64)
    return js_step(way, g, c, adam(g), adam(c), lambda: real, lambda: torch.randn(batch, 128))


def mixture(way, batch=512):
    def mlp(i, o):
        return nn.Sequential(nn.Linear(i, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, o))
    g, d = mlp(2, 3), mlp(3, 1)
    angle = torch.arange(7) * (2 * torch.pi / 7)
    centres, plane = torch.stack([angle.sin(), angle.cos()], 1), torch.randn(2, 3)
    shift = torch.full((3,), 3 ** -0.5)

    def real():
        return (centres[torch.randint(7, (batch,))] + 0.01 * torch.randn(batch, 2)) @ plane + shift
    rate = {"lr": 1e-3, "betas": (0.5, 0.999)}
    return js_step(way, g, d, adam(g, **rate), adam(d, **rate), real, lambda: torch.randn(batch, 2))


def sngan(way, batch=32, dim=64, critics=5):
    g, d = way.place(nets.SNGenerator(dim)), way.place(nets.SNDiscriminator(dim))
    og, od = adam(g, betas=(0.0, 0.9)), adam(d, betas=(0.0, 0.9))
    reals = (torch.rand(critics, batch, 3, 32, 32) * 256).to(torch.uint8)
    labels = torch.randint(10, (critics, batch))

    def step():
        trainable(d, False)
        y = torch.randint(10, (2 * batch,))
        with way.cast():
            loss = -d(g(torch.randn(2 * batch, 128), y), y, False).float().mean()
        descend(og, loss)
        trainable(d, True)
        for image, y in zip(reals, labels):
            real = image.float() / 128 - 1 + torch.rand(image.shape) / 128
            real = real.contiguous(memory_format=torch.channels_last)
            with way.cast():
                with torch.no_grad():
                    fake = g(torch.randn(batch, 128), y)
                r, f = d(torch.cat([real, fake.float()]), torch.cat([y, y]), True).float().chunk(2)
                loss = F.relu(1 - r).mean() + F.relu(1 + f).mean()
            descend(od, loss)
    return step


def glis(way, batch=32, code=256, f=64):
    g = way.place(nets.LisGenerator(code, f))
    layers, c = [], 3
    for i in range(4):
        layers += [nets.Normed(c, f * 2 ** i, 4), nets.TPReLU(f * 2 ** i)]
        c = f * 2 ** i
    last = nets.Normed(c, 1, 5, stride=1, pad=0, affine=True)
    d = way.place(nn.Sequential(*layers, last, nn.Sigmoid(), nn.Flatten()))
    og, od = (torch.optim.RMSprop(m.parameters(), lr=2e-5, alpha=0.9, eps=1e-6) for m in (g, d))
    real, ones, zeros = (way.images(batch, 80) + 1) / 2, torch.ones(batch, 1), torch.zeros(batch, 1)

    def step():
        trainable(d, True)
        with way.cast():
            with torch.no_grad():
                fake, _ = g(torch.randn(batch, code), True)
            p = d(torch.cat([real, fake.float()])).float()
        descend(od, F.binary_cross_entropy(p, torch.cat([ones, zeros])) * 2)
        trainable(d, False)
        z = torch.randn(batch, code)
        with way.cast():
            fake, moved = g(z, True)
            p = d(fake).float()
        descend(og, F.binary_cross_entropy(p, ones) + 0.9 * F.mse_loss(moved.float(), z))
    return step


def pggan(way, size, batch):
    nf = [min(2048 // 2 ** s, 256) for s in range(size.bit_length() - 1)]
    g, d = way.place(nets.PGGenerator(nf)), way.place(nets.PGCritic(nf))
    og, od = adam(g, 1e-3, (0.0, 0.99)), adam(d, 1e-3, (0.0, 0.99))
    real = way.images(batch, size)

    def step():
        trainable(d, True)
        with way.cast():
            with torch.no_grad():
                fake = g(torch.randn(batch, 128)).float()
            r, f = d(real).float(), d(fake).float()
            a = torch.rand(batch, 1, 1, 1)
            x = (a * real + (1 - a) * fake).requires_grad_()
            slope, = torch.autograd.grad(d(x).float().sum(), x, create_graph=True)
            norm = slope.float().flatten(1).norm(dim=1)
            loss = f.mean() - r.mean() + 1e-3 * r.square().mean() + 10 * ((norm - 450) ** 2).mean() / 450 ** 2
        descend(od, loss)
        trainable(d, False)
        with way.cast():
            loss = -d(g(torch.randn(batch, 128))).float().mean()
        descend(og, loss)
    return step


CASES = {"rpgan": rpgan, "dcgan": dcgan, "resnet64": resnet64, "mixture": mixture, "sngan": sngan,
         "glis": glis, "pggan": pggan}


def make(peer: str, precision: str, threads: int, sizes: dict):
    """One iteration of a counterpart as a function without arguments."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    return CASES[peer](Way(precision), **sizes)
