"""The page of a :class:`deepdive.dash.Report`, part by part."""

from __future__ import annotations

import base64
import time
from typing import Any

from deepdive import config
from deepdive.dash.chart_picture import chart_picture
from deepdive.dash.graph import picture_of, simplified
from deepdive.dash.graph_paint import paint
from deepdive.dash.progress import duration
from deepdive.dash.raster import encode_png
from deepdive.dash.summary import summary
from deepdive.dash.svg import escape
from deepdive.errors import DeepDiveError
from deepdive.host import np

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 64em; color: #222;
  padding: 0 1em }
h2 { margin-top: 2em; border-bottom: 1px solid #ddd }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { text-align: right; padding: .15em .8em }
th { color: #666; font-weight: 600 }
td:first-child, th:first-child { text-align: left }
pre { background: #f4f5f7; padding: .8em 1em; border-radius: 6px; overflow-x: auto;
  font-size: 13px; line-height: 1.35 }
svg { max-width: 100%; height: auto }
.confusion td { text-align: center; min-width: 2em; padding: .2em .4em }
.mistakes { display: flex; flex-wrap: wrap; gap: 1em }
.mistakes figure { margin: 0; text-align: center; font-size: 13px }
.mistakes img { width: 96px; height: 96px; image-rendering: pixelated; border: 1px solid #ccc }
.bad { color: #b42318; font-weight: 600 }
"""


def page(report: Any, trainer: Any, findings: Any, environment: dict[str, str]) -> str:
    """The whole page; nothing in it is fetched from elsewhere."""
    parts = [
        ("How it went", outcome(report, trainer)),
        ("Curves", curves(report, trainer)),
        ("Epochs", epochs(trainer.history)),
        ("What is taken for what", confusion(report, findings)),
        ("The worst mistakes", mistakes(report, findings)),
        ("The model", model(report, trainer)),
        ("Where", table(["", ""], list(environment.items()))),
    ]
    body = "\n".join(f"<h2>{title}</h2>\n{text}" for title, text in parts if text)
    title = escape(report.title)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{STYLE}</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


def outcome(report: Any, trainer: Any) -> str:
    """In a few lines: finished or not, how long, the last figures and the best."""
    if trainer.error is not None:
        why = f"{type(trainer.error).__name__}: {trainer.error}"
        end = f'<span class="bad">ended by {escape(why)}</span>'
    else:
        end = escape(trainer.stopped or "finished")
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(report.started))
    rows = [
        ("end", end),
        ("began", began),
        ("took", escape(duration(time.time() - report.started))),
        ("epochs", str(trainer.epoch)),
        ("updates", f"{trainer.step:,}"),
        ("samples", f"{trainer.samples:,}"),
    ]
    if trainer.history:
        last = trainer.history[-1]
        rows += [(name, shown(value)) for name, value in last.items() if name not in SKIPPED]
    return rows_of(rows)


SKIPPED = ("epoch", "step")


def curves(report: Any, trainer: Any) -> str:
    """The loss of each step, and whatever was measured after each epoch."""
    lines: dict[str, Any] = {}
    if report.losses.x:
        lines["loss per step"] = report.losses.points()
    names = list(trainer.history[0]) if len(trainer.history) > 1 else []
    for name in names:
        values = [record.get(name) for record in trainer.history]
        if name not in SKIPPED and all(isinstance(value, float) for value in values):
            steps = [float(record["step"]) for record in trainer.history]
            lines[name] = (steps, values)
    if not lines:
        return ""
    drawn: str = chart_picture(lines, "svg").decode()
    return drawn[drawn.index("<svg") :]


def epochs(history: list[dict[str, Any]]) -> str:
    """A row for each epoch."""
    if not history:
        return ""
    names = list(history[0])
    rows = [[shown(record.get(name)) for name in names] for record in history]
    return table(names, rows)


def confusion(report: Any, findings: Any) -> str:
    """The confusion matrix, darker where more samples are."""
    if findings is None:
        return ""
    counts = findings.confusion.tolist()
    names = [name_of(report, i) for i in range(len(counts))]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = [f"<tr><th>truth ↓ guess →</th>{head}<th>right</th></tr>"]
    for i, row in enumerate(counts):
        total = max(sum(row), 1)
        cells = "".join(_cell(n, n / total, i == j) for j, n in enumerate(row))
        share = f"{row[i] / total:.1%}"
        lines.append(f"<tr><th>{escape(names[i])}</th>{cells}<td>{share}</td></tr>")
    return f'<table class="confusion">{"".join(lines)}</table>'


def _cell(count: int, share: float, right: bool) -> str:
    color = "47, 133, 90" if right else "192, 67, 63"
    depth = share**0.5 if count else 0.0
    return f'<td style="background: rgba({color}, {depth:.2f})">{count or ""}</td>'


def mistakes(report: Any, findings: Any) -> str:
    """The samples the model is most wrong about, as pictures where they are pictures."""
    if findings is None:
        return ""
    if not findings.mistakes:
        return "<p>none</p>"
    figures = []
    for mistake in findings.mistakes:
        truth, guess = name_of(report, mistake.truth), name_of(report, mistake.guess)
        caption = f"{escape(truth)}, taken for<br>{escape(guess)} ({mistake.sure:.0%})"
        figures.append(
            f"<figure>{image(mistake.sample)}<figcaption>{caption}</figcaption></figure>"
        )
    return f'<div class="mistakes">{"".join(figures)}</div>'


def image(sample: Any) -> str:
    """An image (H, W), (1, H, W) or (3, H, W) as a tag; nothing for what is none."""
    pixels = np.asarray(sample, dtype="float64")
    if pixels.ndim == 1 and pixels.size >= 16 and round(pixels.size**0.5) ** 2 == pixels.size:
        side = round(pixels.size**0.5)
        pixels = pixels.reshape(side, side)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3):
        return ""
    low, high = pixels.min(), pixels.max()
    pixels = (pixels - low) / max(high - low, 1e-12) * 255
    pixels = np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0)
    png = encode_png(np.ascontiguousarray(pixels.round().astype("uint8")))
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def model(report: Any, trainer: Any) -> str:
    """Its layers, and the graph of one sample."""
    text = f"<pre>{escape(str(trainer.model))}</pre>"
    if report.sample is None:
        return text
    shapes = [tuple(part.shape) for part in report.sample]
    try:
        if len(shapes) == 1:
            text = f"<pre>{escape(str(summary(trainer.model, shapes[0])))}</pre>"
        with config.enable_grad():
            out = trainer.model(*report.sample)
        drawn = paint(simplified(picture_of(out, {"model": trainer.model})), "svg").decode()
    except (DeepDiveError, ValueError, TypeError, IndexError):
        return text  # a model of another form: its layers must do
    return f"{text}\n<details><summary>graph</summary>{drawn[drawn.index('<svg') :]}</details>"


def name_of(report: Any, number: int) -> str:
    """A class by its name, else by its number."""
    names = report.classes
    return str(names[number]) if names is not None and number < len(names) else str(number)


def shown(value: Any) -> str:
    """A number as one writes it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return escape(str(value)) if value is not None else ""


def table(names: list[str], rows: Any) -> str:
    """A table with a heading, where it has one."""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    heading = f"<tr>{head}</tr>" if any(names) else ""
    lines = ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table>{heading}{''.join(lines)}</table>"


def rows_of(rows: list[tuple[str, str]]) -> str:
    """Names and values, which are HTML already."""
    lines = [f"<tr><th>{escape(name)}</th><td>{value}</td></tr>" for name, value in rows]
    return f"<table>{''.join(lines)}</table>"
