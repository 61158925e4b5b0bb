"""The page of a :class:`Stepper`: the graph, and a sheet for each step to click through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deepdive.dash.graph import picture_of
from deepdive.dash.graph_paint import paint
from deepdive.dash.steps import Step, Value, shown
from deepdive.dash.svg import escape

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em; color: #222;
  padding: 0 1em }
main { display: flex; gap: 3em; flex-wrap: wrap }
section { display: none; min-width: 32em }
section.on { display: block }
pre { background: #f4f5f7; padding: .8em 1em; border-radius: 6px; overflow-x: auto }
table { border-collapse: collapse }
td, th { text-align: left; padding: .2em 1.2em .2em 0; vertical-align: top; font-family: monospace;
  white-space: pre }
th { color: #777; font-weight: normal }
button { font: inherit; padding: .3em 1.2em; margin-right: .5em }
svg { max-width: 100%; height: auto }
@media (prefers-color-scheme: dark) {
  body { background: #1c1e22; color: #ddd } pre { background: #2a2d33 } figure { background: #fff }
}
"""
SCRIPT = """
const sheets = document.querySelectorAll('section');
let at = 0;
function show(n) {
  at = Math.max(0, Math.min(sheets.length - 1, n));
  sheets.forEach((s, i) => s.classList.toggle('on', i === at));
  document.getElementById('where').textContent = `step ${at + 1} of ${sheets.length}`;
}
document.getElementById('back').onclick = () => show(at - 1);
document.getElementById('next').onclick = () => show(at + 1);
document.onkeydown = e => {
  if (e.key === 'ArrowRight') show(at + 1);
  if (e.key === 'ArrowLeft') show(at - 1);
};
show(0);
"""


def page(steps: Iterable[Step], loss: Any, namespace: Any) -> str:
    """A whole page as text; nothing in it is fetched from elsewhere."""
    sheets = "\n".join(sheet(step) for step in steps)
    graph = paint(picture_of(loss, namespace), "svg").decode()
    graph = graph[graph.index("<svg") :]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>backward, step by step</title>
<style>{STYLE}</style></head><body>
<h1>Backward, step by step</h1>
<p><button id="back">back</button><button id="next">next</button><span id="where"></span>
(or the arrow keys)</p>
<main><div>
{sheets}
</div><figure>{graph}</figure></main>
<script>{SCRIPT}</script></body></html>
"""


def sheet(step: Step) -> str:
    """One step."""
    rows = [_row(step.result, "gets")]
    rows += [_row(part, "sends") for part in step.inputs]
    return f"""<section><h2>{step.number}. {escape(step.formula)}</h2>
<pre>{escape(step.code)}</pre>
<table><tr><th></th><th>value</th><th></th><th>gradient</th></tr>
{"".join(rows)}
</table></section>"""


def _row(part: Value, verb: str) -> str:
    value = "not held any more" if part.value is None else shown(part.value)
    cells = (part.name, value, verb, shown(part.gradient))
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>\n"
