"""The paper's network as somebody would write it by hand: the peer of the emitted module."""

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def subsampling(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1),
        nn.BatchNorm2d(2 * channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(2 * channels, 2 * channels, 3, padding=1),
    )


def upsampling(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(2 * channels),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(2 * channels, channels, 3, stride=2, padding=1, output_padding=1),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(channels, channels, 3, padding=1),
    )


class HandWritten(nn.Module):
    """GridNet, 5 streams, 3+3 columns, F0 = 16, 19 classes, without total dropout."""

    def __init__(
        self, streams: int = 5, sub: int = 3, up: int = 3, base: int = 16, classes: int = 19
    ) -> None:
        super().__init__()
        self.streams, self.sub, self.up = streams, sub, up
        channels = [base * 2**i for i in range(streams)]
        self.stem = nn.Sequential(
            nn.BatchNorm2d(3),
            nn.Conv2d(3, base, 3, padding=1),
            nn.BatchNorm2d(base),
            nn.ReLU(inplace=True),
            nn.Conv2d(base, base, 3, padding=1),
            nn.BatchNorm2d(base),
            nn.ReLU(inplace=True),
        )
        self.res = nn.ModuleList(
            nn.ModuleList(Residual(c) for c in channels) for _ in range(sub + up - 1)
        )
        self.down = nn.ModuleList(
            nn.ModuleList(subsampling(c) for c in channels[:-1]) for _ in range(sub)
        )
        self.rise = nn.ModuleList(
            nn.ModuleList(upsampling(c) for c in channels[:-1]) for _ in range(up)
        )
        self.head = nn.Sequential(
            nn.ConvTranspose2d(base, classes, 3, padding=1),
            nn.BatchNorm2d(classes),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(classes, classes, 3, padding=1),
            nn.BatchNorm2d(classes),
        )

    def forward(self, image: Tensor) -> Tensor:
        row = [self.stem(image)]
        for i in range(1, self.streams):
            row.append(self.down[0][i - 1](row[i - 1]))
        for j in range(1, self.sub):
            row[0] = self.res[j - 1][0](row[0])
            for i in range(1, self.streams):
                row[i] = self.res[j - 1][i](row[i]) + self.down[j][i - 1](row[i - 1])
        for j in range(self.sub, self.sub + self.up):
            row[-1] = self.res[j - 1][self.streams - 1](row[-1])
            for i in reversed(range(self.streams - 1)):
                row[i] = self.res[j - 1][i](row[i]) + self.rise[j - self.sub][i](row[i + 1])
        return self.head(row[0])


if __name__ == "__main__":
    with torch.device("meta"):
        print(sum(p.numel() for p in HandWritten().parameters()))
