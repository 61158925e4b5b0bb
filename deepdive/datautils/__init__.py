"""Level 5, data: data sets, samplers, transforms, and the loader that makes batches of them."""

from deepdive.datautils.augment import (
    CenterCrop,
    ColorJitter,
    Grayscale,
    MixUp,
    RandomAffine,
    RandomApply,
    RandomErasing,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
)
from deepdive.datautils.cifar import CIFAR10, CIFAR100
from deepdive.datautils.collate import default_collate
from deepdive.datautils.dataset import (
    ArrayDataset,
    ConcatDataset,
    Dataset,
    Subset,
    TensorDataset,
    random_split,
)
from deepdive.datautils.huggingface import HuggingFaceDataset, HuggingFaceStream
from deepdive.datautils.idx import read_idx, write_idx
from deepdive.datautils.loader import DataLoader
from deepdive.datautils.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from deepdive.datautils.sampler_kinds import (
    DistributedSampler,
    StratifiedSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from deepdive.datautils.seeds import sample_generator
from deepdive.datautils.stream import IterableDataset, ShuffleBuffer
from deepdive.datautils.text import CharDataset, TextLines, Vocabulary
from deepdive.datautils.toy import make_blobs, make_circles, make_moons, make_spirals
from deepdive.datautils.transforms import (
    Compose,
    Flatten,
    Lambda,
    Normalize,
    OneHot,
    RandomCrop,
    RandomShift,
    Scale,
    Standardize,
    ToFloat,
    Transform,
)
from deepdive.datautils.vision import MNIST, Digits, FashionMNIST

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "MNIST",
    "ArrayDataset",
    "BatchSampler",
    "CenterCrop",
    "CharDataset",
    "ColorJitter",
    "Compose",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "Digits",
    "DistributedSampler",
    "FashionMNIST",
    "Flatten",
    "Grayscale",
    "HuggingFaceDataset",
    "HuggingFaceStream",
    "IterableDataset",
    "Lambda",
    "MixUp",
    "Normalize",
    "OneHot",
    "RandomAffine",
    "RandomApply",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSampler",
    "RandomShift",
    "RandomVerticalFlip",
    "Resize",
    "Sampler",
    "Scale",
    "SequentialSampler",
    "ShuffleBuffer",
    "Standardize",
    "StratifiedSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "TextLines",
    "ToFloat",
    "Transform",
    "Vocabulary",
    "WeightedRandomSampler",
    "default_collate",
    "make_blobs",
    "make_circles",
    "make_moons",
    "make_spirals",
    "random_split",
    "read_idx",
    "sample_generator",
    "write_idx",
]
