"""Layers, losses and the models made of them."""

from deepdive.nn import functional as functional
from deepdive.nn import init as init
from deepdive.nn import utils as utils
from deepdive.nn.activation import ELU as ELU
from deepdive.nn.activation import GELU as GELU
from deepdive.nn.activation import Hardtanh as Hardtanh
from deepdive.nn.activation import LeakyReLU as LeakyReLU
from deepdive.nn.activation import LogSigmoid as LogSigmoid
from deepdive.nn.activation import LogSoftmax as LogSoftmax
from deepdive.nn.activation import ReLU as ReLU
from deepdive.nn.activation import ReLU6 as ReLU6
from deepdive.nn.activation import Sigmoid as Sigmoid
from deepdive.nn.activation import SiLU as SiLU
from deepdive.nn.activation import Softmax as Softmax
from deepdive.nn.activation import Softmin as Softmin
from deepdive.nn.activation import Softplus as Softplus
from deepdive.nn.activation import Tanh as Tanh
from deepdive.nn.architecture import register_layer as register_layer
from deepdive.nn.containers import ModuleDict as ModuleDict
from deepdive.nn.containers import ModuleList as ModuleList
from deepdive.nn.containers import Sequential as Sequential
from deepdive.nn.conv import Conv1d as Conv1d
from deepdive.nn.conv import Conv2d as Conv2d
from deepdive.nn.conv import Conv3d as Conv3d
from deepdive.nn.dropout import Dropout as Dropout
from deepdive.nn.dropout import Dropout1d as Dropout1d
from deepdive.nn.dropout import Dropout2d as Dropout2d
from deepdive.nn.embedding import Embedding as Embedding
from deepdive.nn.linear import Linear as Linear
from deepdive.nn.loss import BCELoss as BCELoss
from deepdive.nn.loss import BCEWithLogitsLoss as BCEWithLogitsLoss
from deepdive.nn.loss import CrossEntropyLoss as CrossEntropyLoss
from deepdive.nn.loss import HuberLoss as HuberLoss
from deepdive.nn.loss import KLDivLoss as KLDivLoss
from deepdive.nn.loss import L1Loss as L1Loss
from deepdive.nn.loss import MSELoss as MSELoss
from deepdive.nn.loss import NLLLoss as NLLLoss
from deepdive.nn.loss import SmoothL1Loss as SmoothL1Loss
from deepdive.nn.module import Module as Module
from deepdive.nn.norm import BatchNorm1d as BatchNorm1d
from deepdive.nn.norm import BatchNorm2d as BatchNorm2d
from deepdive.nn.norm import BatchNorm3d as BatchNorm3d
from deepdive.nn.norm import LayerNorm as LayerNorm
from deepdive.nn.parameter import Parameter as Parameter
from deepdive.nn.pool import AdaptiveAvgPool2d as AdaptiveAvgPool2d
from deepdive.nn.pool import AvgPool1d as AvgPool1d
from deepdive.nn.pool import AvgPool2d as AvgPool2d
from deepdive.nn.pool import MaxPool1d as MaxPool1d
from deepdive.nn.pool import MaxPool2d as MaxPool2d
from deepdive.nn.saved import load_from_arc as load_from_arc
from deepdive.nn.shape import Flatten as Flatten
from deepdive.nn.shape import Identity as Identity
from deepdive.nn.shape import ReShape as ReShape
from deepdive.nn.shape import Unflatten as Unflatten
from deepdive.optim import SGD as SGD
from deepdive.optim import Adagrad as Adagrad
from deepdive.optim import Adam as Adam
from deepdive.optim import AdamW as AdamW
from deepdive.optim import Optimizer as Optimizer
from deepdive.optim import RMSprop as RMSprop

Layer = Module  # one and the same: every module has params, step, save and load
MSE, MAE = MSELoss, L1Loss
NegativeLogLikelihood = NLLLoss
