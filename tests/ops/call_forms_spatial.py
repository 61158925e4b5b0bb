"""PyTorch's call forms of functions over lines, pictures and volumes (the names: call_forms.py).

``w`` (2, 3, 4) is two lines of three channels, ``w[None]`` a picture, ``w[None, None]`` a volume.
"""

from tests.ops.call_forms import exceptions, forms

forms(
    conv1d="f(w, w[:, :, :2]); f(w, w[:, :, :2], v[:2], 1, 1, 2, 1);"
    "f(w, weight=w[:, :1, :2].repeat(3, 1, 1), bias=None, stride=2, padding='valid', dilation=1,"
    " groups=3)",
    conv2d="f(w[None], w[None, :, :2, :2]); f(w[None], w[:, :2, :2][:, None], stride=(1, 2),"
    " padding='same' if False else 1, dilation=1, groups=2, bias=None)",
    conv_transpose1d="f(w, w[0][:, None]); f(w, w[0][:, None], None, 2, 1, 1, 1, 1);"
    "f(w, weight=w[0][:, None], bias=v[:3], stride=2, padding=1, output_padding=1, groups=3,"
    " dilation=2)",
    conv_transpose2d="f(w[None], w[:, None, :2, :2]); f(w[None], weight=w[:, None, :2, :2],"
    " bias=v[:1], stride=2, padding=1, output_padding=(1, 0), groups=1, dilation=(2, 1))",
    max_pool1d="f(w, 2); f(w, kernel_size=2, stride=1, padding=1, dilation=1, ceil_mode=True)",
    max_pool2d="f(w, 2); f(w, (2, 3), 1, 1, 1, False); f(w, kernel_size=2, stride=1, padding=0,"
    " dilation=(1, 2), ceil_mode=True)",
    max_pool3d="f(w[None], 2); f(w[None], kernel_size=2, stride=1, padding=1, dilation=1,"
    " ceil_mode=False)",
    avg_pool1d="f(w, 2); f(w, (2,), 1, 1, False, False);"
    "f(w, kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)",
    avg_pool2d="f(w, 2); f(w, kernel_size=2, stride=1, padding=1, ceil_mode=True,"
    " count_include_pad=False, divisor_override=3)",
    avg_pool3d="f(w[None], 2); f(w[None], kernel_size=2, stride=1, padding=1, ceil_mode=True,"
    " count_include_pad=False, divisor_override=3)",
    adaptive_avg_pool1d="f(w, 3); f(w, output_size=2)",
    adaptive_avg_pool2d="f(w, (2, 3)); f(w, output_size=(None, 2))",
    adaptive_max_pool2d="f(w, (2, 3)); f(w, output_size=2, return_indices=False)",
    lp_pool1d="f(w, 2, 2); f(w, norm_type=2.0, kernel_size=2, stride=1, ceil_mode=True)",
    lp_pool2d="f(w, 2, 2); f(w, norm_type=2.0, kernel_size=(2, 1), stride=1, ceil_mode=True)",
    pad="f(w, (1, 2)); f(w, [1, 0, -1, 2], 'constant', 2.0); f(w, (1, 2), 'reflect');"
    "f(w, pad=(2, 1), mode='replicate', value=None); f(w[None], (1, 2, 0, 3), mode='circular')",
    interpolate="f(w, 7); f(w, None, 2);"
    "f(w, scale_factor=1.5, mode='linear', align_corners=False);"
    "f(w[None], size=(4, 5), mode='bilinear', antialias=True);"
    "f(w[None], scale_factor=(2.0, 1.5), mode='bicubic', recompute_scale_factor=True)",
    upsample="f(w, 7); f(w, size=None, scale_factor=2, mode='linear', align_corners=True)",
    grid_sample="f(w[None], w[None, :, :, :2]);"
    "f(w[None], grid=w[None, :, :, :2], mode='bicubic', padding_mode='border', align_corners=True)",
    affine_grid="f(w[:, :2, :3], (2, 1, 2, 3));"
    "f(w[:, :2, :3], size=[2, 1, 3, 2], align_corners=True)",
    fold="f(w.reshape(1, 4, 6), (3, 4), 2);"
    "f(w.reshape(1, 4, 6), output_size=(2, 3), kernel_size=2, dilation=1,"
    " padding=(1, 0), stride=1)",
    pixel_shuffle="f(m.reshape(4, 2, 2), 2); f(m.reshape(1, 4, 2, 2), upscale_factor=2)",
    pixel_unshuffle="f(m[None], 2); f(m[None], downscale_factor=4)",
    channel_shuffle="f(m.reshape(1, 4, 2, 2), 2); f(m.reshape(1, 4, 2, 2), groups=4)",
    local_response_norm="f(w, 2); f(w, size=3, alpha=0.1, beta=0.5, k=2.0)",
)

_REASONS = {
    "edges": "an infinity meets weights of 0: NaN in its whole line",
    "integers": "means of whole numbers are not cut to whole numbers",
    "empty": "PyTorch gives shapes of its own for pictures without pixels",
}
for _name in "adaptive_avg_pool1d adaptive_avg_pool2d interpolate upsample".split():
    exceptions(_name, edges=_REASONS["edges"])
for _name in "avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d local_response_norm".split():
    exceptions(_name, integers=_REASONS["integers"])
exceptions("pixel_unshuffle", empty=_REASONS["empty"])
exceptions("conv_transpose2d", edges="∞ - ∞ in another order of summing")
exceptions("grid_sample", edges="a place that is NaN is outside")
exceptions("conv2d", empty="of no channels PyTorch makes none, not the output channels")
