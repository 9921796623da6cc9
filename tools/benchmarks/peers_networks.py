"""Networks of the PyTorch counterparts: the layer tables of ours, written the way a PyTorch user would."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(-1, *self.shape)


class RPGenerator(nn.Module):
    def __init__(self, z=100, f=1024, size=64):
        super().__init__()
        layers, side = [nn.Linear(z, 16 * f, bias=False), Reshape(f, 4, 4),
                        nn.BatchNorm2d(f, track_running_stats=False), nn.ReLU()], 4
        while side * 2 < size:
            layers += [nn.ConvTranspose2d(f, f // 2, 4, 2, 1, bias=False),
                       nn.BatchNorm2d(f // 2, track_running_stats=False), nn.ReLU()]
            side, f = side * 2, f // 2
        self.net = nn.Sequential(*layers, nn.ConvTranspose2d(f, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.net(z)


def rp_discriminator(side, channels, df):
    layers = []
    while side > 2:
        layers += [nn.Conv2d(channels, df, 4, 2, 1), nn.LeakyReLU(0.2)]
        channels, df, side = df, df * 2, side // 2
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 2))


class Block64(nn.Module):
    def __init__(self, i, o, up):
        super().__init__()
        m = o if up else i
        self.up, self.short = up, nn.Conv2d(i, o, 1)
        self.n1, self.c1 = nn.BatchNorm2d(i), nn.Conv2d(i, m, 3, 1, 1, bias=False)
        self.n2, self.c2 = nn.BatchNorm2d(m), nn.Conv2d(m, o, 3, 1, 1)

    def forward(self, x):
        def double(y):
            return F.interpolate(y, scale_factor=2, mode="nearest")
        h = F.relu(self.n1(x))
        if self.up:
            return self.short(double(x)) + self.c2(F.relu(self.n2(self.c1(double(h)))))
        return self.short(F.avg_pool2d(x, 2)) + F.avg_pool2d(self.c2(F.relu(self.n2(self.c1(h)))), 2)


class Spectral(nn.Module):
    """A linear map whose weight is divided by one step of the power iteration, computed anew in each pass."""

    def __init__(self, i, o, size=0):
        super().__init__()
        shape = (o, i, size, size) if size else (o, i)
        self.weight = nn.Parameter(torch.randn(*shape) * (i * max(size, 1) ** 2) ** -0.5)
        self.bias, self.size = nn.Parameter(torch.zeros(o)), size
        self.register_buffer("u", F.normalize(torch.randn(o), dim=0))

    def forward(self, x, update: bool):
        w = self.weight.flatten(1)
        with torch.no_grad():
            v = F.normalize(w.t() @ self.u, dim=0)
            u = F.normalize(w @ v, dim=0)
            if update:
                self.u.copy_(u)
        weight = self.weight / torch.dot(u, w @ v)
        if not self.size:
            return F.linear(x, weight, self.bias)
        return F.conv2d(x, weight, self.bias, 1, self.size // 2)


class ClassNorm(nn.Module):
    def __init__(self, c, classes=10):
        super().__init__()
        self.scale, self.offset = nn.Embedding(classes, c), nn.Embedding(classes, c)
        nn.init.ones_(self.scale.weight), nn.init.zeros_(self.offset.weight)

    def forward(self, x, y):
        x = F.batch_norm(x, None, None, training=True)
        return x * self.scale(y)[:, :, None, None] + self.offset(y)[:, :, None, None]


class UpBlock(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.n1, self.n2 = ClassNorm(i), ClassNorm(o)
        self.c1, self.c2, self.short = nn.Conv2d(i, o, 3, 1, 1), nn.Conv2d(o, o, 3, 1, 1), nn.Conv2d(i, o, 1)

    def forward(self, x, y):
        h = self.c1(F.interpolate(F.relu(self.n1(x, y)), scale_factor=2))
        return self.short(F.interpolate(x, scale_factor=2)) + self.c2(F.relu(self.n2(h, y)))


class SNGenerator(nn.Module):
    def __init__(self, g):
        super().__init__()
        self.first, self.g = nn.Linear(128, 16 * 8 * g), g
        self.blocks = nn.ModuleList([UpBlock(8 * g, 2 * g), UpBlock(2 * g, 2 * g), UpBlock(2 * g, 2 * g)])
        self.norm, self.last = ClassNorm(2 * g), nn.Conv2d(2 * g, 3, 3, 1, 1)

    def forward(self, z, y):
        x = self.first(z).reshape(-1, 8 * self.g, 4, 4)
        for block in self.blocks:
            x = block(x, y)
        return torch.tanh(self.last(F.relu(self.norm(x, y))))


class DownBlock(nn.Module):
    def __init__(self, i, o, down, first=False):
        super().__init__()
        self.down, self.first = down, first
        m = i if down and not first else o
        self.c1, self.c2 = Spectral(i, m, 3), Spectral(m, o, 3)
        self.short = Spectral(i, o, 1) if down or i != o else None

    def forward(self, x, update: bool):
        h = self.c2(F.relu(self.c1(x if self.first else F.relu(x), update)), update)
        if self.first:
            return self.short(F.avg_pool2d(x, 2), update) + F.avg_pool2d(h, 2)
        s = x if self.short is None else self.short(x, update)
        return F.avg_pool2d(s, 2) + F.avg_pool2d(h, 2) if self.down else s + h


class SNDiscriminator(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.first, self.table = DownBlock(3, d, True, True), nn.Embedding(10, 300)
        self.label = Spectral(300, d)
        self.blocks = nn.ModuleList([DownBlock(2 * d, d, True), DownBlock(d, d, False),
                                     DownBlock(d, d, False)])
        self.last = Spectral(d, 1)

    def forward(self, x, y, update: bool):
        x = self.first(x, update)
        e = self.label(self.table(y), update)[:, :, None, None].expand(-1, -1, x.shape[2], x.shape[3])
        x = torch.cat([x, e.to(x.dtype)], 1)
        for block in self.blocks:
            x = block(x, update)
        return self.last(F.relu(x).mean((2, 3)), update)[:, 0]


class TPReLU(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.full((c,), 0.25)), nn.Parameter(torch.zeros(c))

    def forward(self, x):
        shape = (1, -1) + (1,) * (x.dim() - 2)
        b, w = self.bias.view(shape), self.weight.clamp(0, 1).view(shape)
        x = x - b
        return torch.where(x > 0, x, w * x) + b


class Normed(nn.Module):
    """Linear (size 0), convolution or transposed convolution, its output divided by the weight's norm."""

    def __init__(self, i, o, size=0, up=False, affine=False, stride=2, pad=1, start=1.0):
        super().__init__()
        self.up, self.size, self.stride, self.pad = up, size, stride, pad
        shape = (o, i) if not size else ((i, o, size, size) if up else (o, i, size, size))
        bound = start * (i * max(size, 1) ** 2) ** -0.5
        self.weight = nn.Parameter((torch.rand(shape) * 2 - 1) * bound)
        self.scale = nn.Parameter(torch.ones(o)) if affine else None
        self.bias = nn.Parameter(torch.zeros(o)) if affine else None

    def forward(self, x):
        dims = [a for a in range(self.weight.dim()) if a != (1 if self.up else 0)]
        norm = (self.weight.square().sum(dims) / (self.stride ** 2 if self.up else 1) + 1e-6).sqrt()
        factor = (1 / norm if self.scale is None else self.scale / norm)
        shape = (1, -1) + (1,) * (x.dim() - 2)
        if not self.size:
            y = F.linear(x, self.weight)
        elif self.up:
            y = F.conv_transpose2d(x, self.weight, None, self.stride, self.pad)
        else:
            y = F.conv2d(x, self.weight, None, self.stride, self.pad)
        y = y * factor.view(shape)
        return y if self.bias is None else y + self.bias.view(shape)


class LisGenerator(nn.Module):
    def __init__(self, code=256, f=64):
        super().__init__()
        self.lis = nn.Sequential(Normed(code, code, start=0.01), TPReLU(code), Normed(code, code, start=0.01))
        n, layers = f * 8, []
        self.body = nn.Sequential(Normed(code, n * 25, start=0.01), Reshape(n, 5, 5), TPReLU(n))
        for _ in range(3):
            layers += [Normed(n, n // 2, 4, True), TPReLU(n // 2)]
            n //= 2
        self.convs = nn.Sequential(*layers, Normed(n, 3, 4, True, True), nn.Sigmoid())

    def forward(self, z, run: bool):
        moved = z + self.lis(z) if run else z
        return self.convs(self.body(moved)), moved


class Equal(nn.Module):
    def __init__(self, i, o, size=0, pad=None, gain=2 ** 0.5):
        super().__init__()
        shape = (o, i, size, size) if size else (o, i)
        self.weight, self.bias = nn.Parameter(torch.randn(*shape)), nn.Parameter(torch.zeros(o))
        self.size, self.pad = size, size // 2 if pad is None else pad
        self.scale = gain * (i * size ** 2 if size else i + o) ** -0.5

    def forward(self, x):
        w = self.weight * self.scale
        return F.conv2d(x, w, self.bias, 1, self.pad) if self.size else F.linear(x, w, self.bias)


def pixel_norm(x):
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class PGGenerator(nn.Module):
    def __init__(self, nf, latent=128):
        super().__init__()
        self.dense, self.first = Equal(latent, latent * 16), Equal(latent, nf[1], 3)
        self.blocks = nn.ModuleList([nn.ModuleList([Equal(nf[i], nf[i + 1], 3),
                                                    Equal(nf[i + 1], nf[i + 1], 3)])
                                     for i in range(1, len(nf) - 1)])
        self.rgb = Equal(nf[-1], 3, 1, gain=1.0)

    def forward(self, z):
        h = F.leaky_relu(self.dense(z), 0.2).reshape(len(z), -1, 4, 4)
        h = pixel_norm(F.leaky_relu(self.first(h), 0.2))
        for block in self.blocks:
            h = F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)
            for conv in block:
                h = pixel_norm(F.leaky_relu(conv(h), 0.2))
        return self.rgb(h)


class PGCritic(nn.Module):
    def __init__(self, nf, group=8):
        super().__init__()
        self.group, self.rgb = group, Equal(3, nf[-1], 1)
        self.blocks = nn.ModuleList([nn.ModuleList([Equal(nf[i + 1], nf[i + 1], 3),
                                                    Equal(nf[i + 1], nf[i], 3)])
                                     for i in reversed(range(1, len(nf) - 1))])
        self.c3, self.c4, self.dense = Equal(nf[1] + 1, nf[0], 3), Equal(nf[0], nf[0], 4, 0), Equal(nf[0], 1)

    def forward(self, x):
        h = F.leaky_relu(self.rgb(x), 0.2)
        for block in self.blocks:
            for conv in block:
                h = F.leaky_relu(conv(h), 0.2)
            h = F.avg_pool2d(h, 2)
        n, c, hh, ww = h.shape
        y = h.reshape(self.group, n // self.group, c, hh, ww)
        y = y - y.mean(0, keepdim=True)
        s = (y.square().mean(0) + 1e-8).sqrt().mean((1, 2, 3)).repeat(self.group)
        h = torch.cat([y.reshape(n, c, hh, ww), s.view(n, 1, 1, 1).expand(n, 1, hh, ww).to(h.dtype)], 1)
        h = F.leaky_relu(self.c4(F.leaky_relu(self.c3(h), 0.2)), 0.2)
        return self.dense(h.flatten(1))
