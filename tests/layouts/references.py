"""Networks of others, small and typed anew, with the names that their files have.

After torchvision 0.21 (BSD-3-Clause): `models/resnet.py`, `models/vgg.py`, `ops/
feature_pyramid_network.py`. After semseg (hszhao, MIT): `model/resnet.py`, `model/pspnet.py`. After
HRNet-Semantic-Segmentation (MIT): `lib/models/seg_hrnet.py`, `lib/models/hrnet.py`. Of each only
what the prediction, or the feature maps, are computed by.
"""

import torch
from torch import nn
from torch.nn import functional

COUNTS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


class Block(nn.Module):
    """A basic block, or with `expansion` 4 a bottleneck."""

    def __init__(self, inside, middle, expansion, stride=1):
        super().__init__()
        wide, self.deep = middle * expansion, expansion > 1
        if self.deep:
            self.conv1 = nn.Conv2d(inside, middle, 1, bias=False)
            self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False)
            self.conv3 = nn.Conv2d(middle, wide, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(wide)
        else:
            self.conv1 = nn.Conv2d(inside, middle, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(middle, middle, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(middle), nn.BatchNorm2d(middle)
        self.downsample = None
        if stride > 1 or inside != wide:
            projection = nn.Conv2d(inside, wide, 1, stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(wide))

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.deep:
            y = self.bn3(self.conv3(functional.relu(y)))
        return functional.relu(y + (x if self.downsample is None else self.downsample(x)))


def stage(inside, middle, expansion, count, stride=1):
    first = Block(inside, middle, expansion, stride)
    others = (Block(middle * expansion, middle, expansion) for _ in range(count - 1))
    return nn.Sequential(first, *others)


def dilate(layers, dilation):
    """As semseg does: every 3 x 3 of the stage, no stride."""
    for name, module in layers.named_modules():
        if name.endswith("conv2"):
            module.dilation = module.padding = (dilation, dilation)
        if name.endswith(("conv2", "downsample.0")):
            module.stride = (1, 1)


class ResNet(nn.Module):
    def __init__(self, depth, deep=False):
        super().__init__()
        self.deep, expansion = deep, 4 if depth >= 50 else 1
        if deep:
            self.conv1 = nn.Conv2d(3, 64, 3, 2, 1, bias=False)
            self.conv2 = nn.Conv2d(64, 64, 3, 1, 1, bias=False)
            self.conv3 = nn.Conv2d(64, 128, 3, 1, 1, bias=False)
            self.bn2, self.bn3 = nn.BatchNorm2d(64), nn.BatchNorm2d(128)
        else:
            self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inside = 128 if deep else 64
        for number, count in enumerate(COUNTS[depth], 1):
            middle, stride = 32 << number, 1 if number == 1 else 2
            layers = stage(inside, middle, expansion, count, stride)
            self.add_module(f"layer{number}", layers)
            inside = middle * expansion
        self.fc = nn.Linear(inside, 1000)

    def stages(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        if self.deep:
            x = functional.relu(self.bn2(self.conv2(x)))
            x = functional.relu(self.bn3(self.conv3(x)))
        x, found = functional.max_pool2d(x, 3, 2, 1), []
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
            found.append(x)
        return found


class Backbone(nn.Module):
    """ResNet and pyramid, as torchvision's detectors have them."""

    def __init__(self, depth):
        super().__init__()
        self.body, self.fpn = ResNet(depth), nn.Module()
        wide = [(64 if depth < 50 else 256) << i for i in range(4)]
        inner = (nn.Sequential(nn.Conv2d(channels, 256, 1)) for channels in wide)
        self.fpn.inner_blocks = nn.ModuleList(inner)
        outer = (nn.Sequential(nn.Conv2d(256, 256, 3, padding=1)) for _ in wide)
        self.fpn.layer_blocks = nn.ModuleList(outer)

    def forward(self, x):
        maps, found = self.body.stages(x), []
        last = self.fpn.inner_blocks[3](maps[3])
        found.append(self.fpn.layer_blocks[3](last))
        for i in (2, 1, 0):
            above = functional.interpolate(last, size=maps[i].shape[2:], mode="nearest")
            last = self.fpn.inner_blocks[i](maps[i]) + above
            found.insert(0, self.fpn.layer_blocks[i](last))
        return found


class Detector(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.backbone = Backbone(depth)


class PspNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        resnet = ResNet(50, deep=True)
        self.layer0 = nn.Sequential(
            *(resnet.conv1, resnet.bn1, nn.ReLU(), resnet.conv2, resnet.bn2, nn.ReLU()),
            *(resnet.conv3, resnet.bn3, nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        )
        self.layer1, self.layer2 = resnet.layer1, resnet.layer2
        self.layer3, self.layer4 = resnet.layer3, resnet.layer4
        dilate(self.layer3, 2)
        dilate(self.layer4, 4)
        self.ppm = nn.Module()
        self.ppm.features = nn.ModuleList(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(bins),
                *(nn.Conv2d(2048, 512, 1, bias=False), nn.BatchNorm2d(512), nn.ReLU()),
            )
            for bins in (1, 2, 3, 6)
        )
        self.cls = nn.Sequential(
            *(nn.Conv2d(4096, 512, 3, padding=1, bias=False), nn.BatchNorm2d(512), nn.ReLU()),
            *(nn.Dropout2d(0.1), nn.Conv2d(512, classes, 1)),
        )

    def forward(self, x):
        size = x.shape[2:]
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.layer0(x)))))
        # The original aligns corners in both interpolations; here as in the network compared with.
        pooled = [
            functional.interpolate(each(x), x.shape[2:], mode="bilinear")
            for each in self.ppm.features
        ]
        x = self.cls(torch.cat([x, *pooled], 1))
        return functional.interpolate(x, size, mode="bilinear")


class Exchange(nn.Module):
    """A module of HRNet: branches, then every map from all of them."""

    def __init__(self, widths):
        super().__init__()
        self.branches = nn.ModuleList(stage(width, width, 1, 4) for width in widths)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self.fuse(widths, i, j) for j in range(len(widths)))
            for i in range(len(widths))
        )

    @staticmethod
    def fuse(widths, i, j):
        if j > i:
            conv = nn.Conv2d(widths[j], widths[i], 1, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(widths[i]))
        steps = []
        for step in range(i - j):
            last = step == i - j - 1
            out = widths[i] if last else widths[j]
            layers = [nn.Conv2d(widths[j], out, 3, 2, 1, bias=False), nn.BatchNorm2d(out)]
            steps.append(nn.Sequential(*layers, *([] if last else [nn.ReLU()])))
        return nn.Sequential(*steps) if steps else None

    def forward(self, maps):
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        found = []
        for i, layers in enumerate(self.fuse_layers):
            total = 0
            for j, layer in enumerate(layers):
                x = maps[j] if layer is None else layer(maps[j])
                total = total + functional.interpolate(x, maps[i].shape[2:], mode="bilinear")
            found.append(functional.relu(total))
        return found


def opening(inside, out, stride):
    layers = nn.Conv2d(inside, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    return nn.Sequential(*layers)


class HrNet(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        widths = [width << i for i in range(4)]
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 3, 2, 1, bias=False), nn.BatchNorm2d(64)
        self.conv2, self.bn2 = nn.Conv2d(64, 64, 3, 2, 1, bias=False), nn.BatchNorm2d(64)
        self.layer1 = stage(64, 64, 4, 4)
        lower = nn.Sequential(opening(256, widths[1], 2))
        self.transition1 = nn.ModuleList([opening(256, widths[0], 1), lower])
        for number, modules in ((2, 1), (3, 4), (4, 3)):
            if number > 2:
                opened = nn.Sequential(opening(widths[number - 2], widths[number - 1], 2))
                transition = nn.ModuleList([*[None] * (number - 1), opened])
                self.add_module(f"transition{number - 1}", transition)
            exchanges = (Exchange(widths[:number]) for _ in range(modules))
            self.add_module(f"stage{number}", nn.Sequential(*exchanges))
        wide = sum(widths)
        self.last_layer = nn.Sequential(
            *(nn.Conv2d(wide, wide, 1), nn.BatchNorm2d(wide), nn.ReLU()),
            nn.Conv2d(wide, classes, 1),
        )

    def forward(self, x):
        size = x.shape[2:]
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer1(functional.relu(self.bn2(self.conv2(x))))
        maps = self.stage2([layer(x) for layer in self.transition1])
        maps = self.stage3([*maps, self.transition2[2](maps[-1])])
        maps = self.stage4([*maps, self.transition3[3](maps[-1])])
        sides = maps[0].shape[2:]
        maps = [functional.interpolate(each, sides, mode="bilinear") for each in maps]
        return functional.interpolate(self.last_layer(torch.cat(maps, 1)), size, mode="bilinear")


class Vgg(nn.Module):
    """VGG-16 of narrow rows; `rows` are the maps after each."""

    def __init__(self, wide, hidden, normed):
        super().__init__()
        layers, inside, self.ends = [], 3, []
        for factor, count in ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3)):
            for _ in range(count):
                layers.append(nn.Conv2d(inside, wide * factor, 3, padding=1))
                layers += [nn.BatchNorm2d(wide * factor)] if normed else []
                layers.append(nn.ReLU())
                inside = wide * factor
            self.ends.append(len(layers))
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            *(nn.Linear(49 * inside, hidden), nn.ReLU(), nn.Dropout()),
            *(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, 10)),
        )

    def rows(self, x):
        found = []
        for place, layer in enumerate(self.features):
            x = layer(x)
            if place + 1 in self.ends:
                found.append(x)
        return found
