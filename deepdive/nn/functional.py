"""Functions under PyTorch's names and in its argument order: ``from deepdive.nn.functional import
relu, conv2d, cross_entropy``.

They are the library's operators, some with more of PyTorch's call forms
(:mod:`deepdive.nn.call_forms`); nothing is defined twice.  What has parameters of its own is a
module in :mod:`deepdive.nn`.
"""

from __future__ import annotations

from deepdive.core.operator import REGISTRY
from deepdive.nn.call_forms import loss as _loss
from deepdive.nn.call_forms import with_dtype as _with_dtype
from deepdive.nn.call_forms import with_inplace as _with_inplace

adaptive_avg_pool1d = REGISTRY["adaptive_avg_pool1d"]
adaptive_avg_pool2d = REGISTRY["adaptive_avg_pool2d"]
adaptive_avg_pool3d = REGISTRY["adaptive_avg_pool3d"]
adaptive_max_pool1d = REGISTRY["adaptive_max_pool1d"]
adaptive_max_pool2d = REGISTRY["adaptive_max_pool2d"]
adaptive_max_pool3d = REGISTRY["adaptive_max_pool3d"]
affine_grid = REGISTRY["affine_grid"]
alpha_dropout = REGISTRY["alpha_dropout"]
avg_pool1d = REGISTRY["avg_pool1d"]
avg_pool2d = REGISTRY["avg_pool2d"]
avg_pool3d = REGISTRY["avg_pool3d"]
batch_norm = REGISTRY["batch_norm"]
bilinear = REGISTRY["bilinear"]
binary_cross_entropy = _loss(
    "binary_cross_entropy",
    "input target weight size_average reduce reduction",
)
binary_cross_entropy_with_logits = _loss(
    "binary_cross_entropy_with_logits",
    "input target weight size_average reduce reduction pos_weight",
)
celu = REGISTRY["celu"]
channel_shuffle = REGISTRY["channel_shuffle"]
conv1d = REGISTRY["conv1d"]
conv2d = REGISTRY["conv2d"]
conv3d = REGISTRY["conv3d"]
conv_transpose1d = REGISTRY["conv_transpose1d"]
conv_transpose2d = REGISTRY["conv_transpose2d"]
conv_transpose3d = REGISTRY["conv_transpose3d"]
cosine_embedding_loss = _loss(
    "cosine_embedding_loss",
    "input1 input2 target margin size_average reduce reduction",
)
cosine_similarity = REGISTRY["cosine_similarity"]
cross_entropy = _loss(
    "cross_entropy",
    "input target weight size_average ignore_index reduce reduction label_smoothing",
)
ctc_loss = REGISTRY["ctc_loss"]
dropout = _with_inplace("dropout", 3)
dropout1d = _with_inplace("dropout1d", 3)
dropout2d = _with_inplace("dropout2d", 3)
dropout3d = _with_inplace("dropout3d", 3)
elu = _with_inplace("elu", 2)
embedding = REGISTRY["embedding"]
embedding_bag = REGISTRY["embedding_bag"]
feature_alpha_dropout = REGISTRY["feature_alpha_dropout"]
fold = REGISTRY["fold"]
gaussian_nll_loss = REGISTRY["gaussian_nll_loss"]
gelu = REGISTRY["gelu"]
glu = REGISTRY["glu"]
grid_sample = REGISTRY["grid_sample"]
group_norm = REGISTRY["group_norm"]
gumbel_softmax = REGISTRY["gumbel_softmax"]
hardshrink = REGISTRY["hardshrink"]
hardsigmoid = REGISTRY["hardsigmoid"]
hardswish = REGISTRY["hardswish"]
hardtanh = _with_inplace("hardtanh", 3)
hinge_embedding_loss = _loss(
    "hinge_embedding_loss",
    "input target margin size_average reduce reduction",
)
huber_loss = REGISTRY["huber_loss"]
instance_norm = REGISTRY["instance_norm"]
interpolate = REGISTRY["interpolate"]
kl_div = _loss("kl_div", "input target size_average reduce reduction log_target")
l1_loss = _loss("l1_loss", "input target size_average reduce reduction weight")
layer_norm = REGISTRY["layer_norm"]
leaky_relu = _with_inplace("leaky_relu", 2)
linear = REGISTRY["linear"]
local_response_norm = REGISTRY["local_response_norm"]
log_softmax = _with_dtype("log_softmax")
logsigmoid = REGISTRY["logsigmoid"]
lp_pool1d = REGISTRY["lp_pool1d"]
lp_pool2d = REGISTRY["lp_pool2d"]
lp_pool3d = REGISTRY["lp_pool3d"]
margin_ranking_loss = _loss(
    "margin_ranking_loss",
    "input1 input2 target margin size_average reduce reduction",
)
max_pool1d = REGISTRY["max_pool1d"]
max_pool1d_with_indices = REGISTRY["max_pool1d_with_indices"]
max_pool2d = REGISTRY["max_pool2d"]
max_pool2d_with_indices = REGISTRY["max_pool2d_with_indices"]
max_pool3d = REGISTRY["max_pool3d"]
max_pool3d_with_indices = REGISTRY["max_pool3d_with_indices"]
max_unpool1d = REGISTRY["max_unpool1d"]
max_unpool2d = REGISTRY["max_unpool2d"]
max_unpool3d = REGISTRY["max_unpool3d"]
mish = REGISTRY["mish"]
mse_loss = _loss("mse_loss", "input target size_average reduce reduction weight")
multi_margin_loss = _loss(
    "multi_margin_loss",
    "input target p margin weight size_average reduce reduction",
)
multilabel_margin_loss = _loss(
    "multilabel_margin_loss",
    "input target size_average reduce reduction",
)
multilabel_soft_margin_loss = _loss(
    "multilabel_soft_margin_loss",
    "input target weight size_average reduce reduction",
)
nll_loss = _loss("nll_loss", "input target weight size_average ignore_index reduce reduction")
normalize = REGISTRY["normalize"]
one_hot = REGISTRY["one_hot"]
pad = REGISTRY["pad"]
pairwise_distance = REGISTRY["pairwise_distance"]
pdist = REGISTRY["pdist"]
pixel_shuffle = REGISTRY["pixel_shuffle"]
pixel_unshuffle = REGISTRY["pixel_unshuffle"]
poisson_nll_loss = _loss(
    "poisson_nll_loss",
    "input target log_input full size_average eps reduce reduction",
)
prelu = REGISTRY["prelu"]
relu = _with_inplace("relu", 1)
relu6 = _with_inplace("relu6", 1)
rms_norm = REGISTRY["rms_norm"]
rrelu = REGISTRY["rrelu"]
scaled_dot_product_attention = REGISTRY["scaled_dot_product_attention"]
selu = REGISTRY["selu"]
sigmoid = REGISTRY["sigmoid"]
silu = _with_inplace("silu", 1)
smooth_l1_loss = _loss("smooth_l1_loss", "input target size_average reduce reduction beta")
soft_margin_loss = _loss("soft_margin_loss", "input target size_average reduce reduction")
softmax = _with_dtype("softmax")
softmax_loss = REGISTRY["softmax_loss"]
softmin = _with_dtype("softmin")
softplus = REGISTRY["softplus"]
softshrink = REGISTRY["softshrink"]
softsign = REGISTRY["softsign"]
tanh = REGISTRY["tanh"]
tanhshrink = REGISTRY["tanhshrink"]
threshold = REGISTRY["threshold"]
triplet_margin_loss = _loss(
    "triplet_margin_loss",
    "anchor positive negative margin p eps swap size_average reduce reduction",
)
triplet_margin_with_distance_loss = REGISTRY["triplet_margin_with_distance_loss"]
unfold = REGISTRY["im2col"]  # Tensor.unfold is another function
upsample = REGISTRY["upsample"]
upsample_bilinear = REGISTRY["upsample_bilinear"]
upsample_nearest = REGISTRY["upsample_nearest"]
