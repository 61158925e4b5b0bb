"""Level 5, data: data sets, samplers, transforms, and the loader that makes batches of them."""

from deepdive.datautils.collate import default_collate
from deepdive.datautils.dataset import (
    ArrayDataset,
    ConcatDataset,
    Dataset,
    Subset,
    TensorDataset,
    random_split,
)
from deepdive.datautils.huggingface import HuggingFaceDataset
from deepdive.datautils.idx import read_idx, write_idx
from deepdive.datautils.loader import DataLoader
from deepdive.datautils.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from deepdive.datautils.seeds import sample_generator
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
from deepdive.datautils.vision import MNIST, Digits

__all__ = [
    "MNIST",
    "ArrayDataset",
    "BatchSampler",
    "Compose",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "Digits",
    "Flatten",
    "HuggingFaceDataset",
    "Lambda",
    "Normalize",
    "OneHot",
    "RandomCrop",
    "RandomSampler",
    "RandomShift",
    "Sampler",
    "Scale",
    "SequentialSampler",
    "Standardize",
    "Subset",
    "TensorDataset",
    "ToFloat",
    "Transform",
    "default_collate",
    "random_split",
    "read_idx",
    "sample_generator",
    "write_idx",
]
