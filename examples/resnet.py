"""ResNet-18 (He et al. 2016) on CIFAR-10, with torchvision's names, so that its weights load.

python examples/resnet.py --data DIR                  DIR holds cifar-10-binary.tar.gz or its files
python examples/resnet.py --data DIR --weights FILE   starts from weights, a safetensors file

Small pictures need a small stem: one 3 × 3 convolution and no pooling (section 4.2 of the paper).
`--stem imagenet` is the other one, 7 × 7 and a pool, as torchvision has it; a file for 1,000
classes gives all but the last layer.
"""

import argparse
import math
import sys
import time

import numpy as np

import deepdive as dd
from deepdive import nn
from deepdive.errors import DeepDiveError
from deepdive.nn import functional as F

MEAN = np.array([0.4914, 0.4822, 0.4465], np.float32).reshape(3, 1, 1)
STD = np.array([0.2470, 0.2435, 0.2616], np.float32).reshape(3, 1, 1)


# --- the model ---------------------------------------------------------------------------------
def conv3x3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)


class BasicBlock(nn.Module):
    """Two convolutions, added to what came in: (B, C, H, W) → (B, O, H/stride, W/stride)."""

    def __init__(self, inputs, outputs, stride=1):
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            fit = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(fit, nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(out + shortcut)


class ResNet(nn.Module):
    """Four groups of blocks; each but the first halves the picture and doubles the channels.

    Args:
        depths: blocks in each group: (2, 2, 2, 2) is ResNet-18, (3, 4, 6, 3) ResNet-34.
        classes: how many there are.
        stem: "cifar" for pictures of 32 × 32, "imagenet" for those of 224 × 224.
        width: the channels of the first group.
    """

    def __init__(self, depths=(2, 2, 2, 2), classes=10, stem="cifar", width=64):
        large = stem == "imagenet"
        self.conv1 = conv3x3(3, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity()
        if large:
            self.conv1 = nn.Conv2d(3, width, 7, 2, padding=3, bias=False)
            self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        inputs = width
        for group, depth in enumerate(depths):
            outputs = width * 2**group
            blocks = []
            for i in range(depth):
                stride = 2 if group and not i else 1
                blocks.append(BasicBlock(inputs, outputs, stride))
                inputs = outputs
            setattr(self, f"layer{group + 1}", nn.Sequential(*blocks))
        self.groups = len(depths)
        self.fc = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.maxpool(x)
        for group in range(self.groups):
            x = getattr(self, f"layer{group + 1}")(x)
        x = x.mean((2, 3))  # (B, C)
        return self.fc(x)  # (B, classes)


def load_weights(model, path):
    """Weights under torchvision's names; a last layer for other classes is left as it was."""
    state = dd.interop.load_safetensors(path)
    for name in ("fc.weight", "fc.bias"):
        if name in state and state[name].shape != model.state_dict()[name].shape:
            print(f"{name} in {path} is {tuple(state[name].shape)}: it stays as it was")
            state[name] = model.state_dict()[name]
    print(model.load_state_dict(state))


# --- data --------------------------------------------------------------------------------------
def pictures(folder, train, limit):
    """Pictures (N, 3, 32, 32) as uint8, and their classes."""
    from deepdive.datautils import CIFAR10

    data = CIFAR10(folder, train)
    images, labels = data.images[:limit], data.labels[:limit]
    return images, labels.astype(np.int64)


def prepared(images, draw=None):
    """Mean 0 and deviation 1; with `draw` shifted by up to 4 pixels and perhaps mirrored."""
    x = (images.astype(np.float32) / 255 - MEAN) / STD
    if draw is None:
        return x
    out = np.empty_like(x)
    edge = (4, 4)
    wide = np.pad(x, ((0, 0), (0, 0), edge, edge))
    moves = draw.integers(0, (9, 9, 2), (len(x), 3))
    for i, (top, left, mirrored) in enumerate(moves):
        rows, columns = slice(top, top + 32), slice(left, left + 32)
        part = wide[i, :, rows, columns]
        out[i] = part[:, :, ::-1] if mirrored else part
    return out


# --- training ----------------------------------------------------------------------------------
def accuracy(model, images, labels, batch=250):
    model.eval()
    right = 0
    with dd.no_grad():
        for start in range(0, len(images), batch):
            rows = slice(start, start + batch)
            logits = model(dd.tensor(prepared(images[rows])))
            guesses = logits.numpy().argmax(1)
            right += int((guesses == labels[rows]).sum())
    model.train()
    return right / len(images)


def train(model, images, labels, options):
    """SGD with momentum and Nesterov's look ahead; the rate falls along a cosine."""
    steps = options.epochs * (len(images) // options.batch)
    optimizer = dd.optim.SGD(
        model.parameters(), options.lr, momentum=0.9, weight_decay=5e-4, nesterov=True
    )

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        return loss

    step = step if options.eager else dd.compile(step)
    draw = np.random.default_rng(options.seed)
    started = time.perf_counter()
    done = 0
    for epoch in range(options.epochs):
        order = draw.permutation(len(images))
        total = 0.0
        for start in range(0, len(order) - options.batch + 1, options.batch):
            share = done / max(steps, 1)
            for group in optimizer.param_groups:
                group["lr"] = options.lr * (1 + math.cos(math.pi * share)) / 2
            rows = order[start : start + options.batch]
            x = prepared(images[rows], draw)
            total += step(dd.tensor(x), dd.tensor(labels[rows])).item()
            done += 1
        count = max(len(order) // options.batch, 1)
        seconds = time.perf_counter() - started
        print(f"epoch {epoch + 1}: loss {total / count:.3f}, {seconds:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="the folder of CIFAR-10's binary version")
    parser.add_argument("--weights", help="a safetensors file under torchvision's names")
    parser.add_argument("--stem", choices=("cifar", "imagenet"), default="cifar")
    parser.add_argument("--width", type=int, default=64, help="channels of the first group")
    parser.add_argument("--epochs", type=int, default=15, help="0 only measures")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--limit", type=int, help="use so many pictures only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eager", action="store_true", help="do not compile the training step")
    parser.add_argument("--save", help="the folder for the weights")
    options = parser.parse_args()
    dd.manual_seed(options.seed)

    model = ResNet(stem=options.stem, width=options.width)
    try:
        if options.weights:
            load_weights(model, options.weights)
        images, labels = pictures(options.data, True, options.limit)
        test = pictures(options.data, False, options.limit)
    except DeepDiveError as error:
        sys.exit(f"resnet.py: {error}")
    count = sum(p.numel() for p in model.parameters())
    print(f"{count:,} parameters, {len(images)} pictures")
    train(model, images, labels, options)
    if options.save:
        model.save(options.save, save_arc=False)
    print(f"test accuracy {accuracy(model, *test):.2%}")


if __name__ == "__main__":
    main()
