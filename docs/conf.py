"""How Sphinx builds the documentation: ``make docs``; warnings are errors."""

import importlib
import inspect
import sys
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import deepdive  # noqa: E402

project = "DeepDive"
author = "the DeepDive authors"
release = version = deepdive.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "VERIFIED.md"]
html_theme = "alabaster"
html_theme_options = {
    "description": "deep learning in 100 % Python",
    "fixed_sidebar": True,
    "page_width": "1240px",
    "body_max_width": "none",
    "sidebar_width": "240px",
}
html_show_copyright = False
html_static_path = ["_static"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say it in words
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "code"  # `x` in a docstring is code
nitpicky = False
suppress_warnings = ["ref.ref"]


class Listed(SphinxDirective):
    """``.. listed:: deepdive.special`` documents each public function of a module.

    Autodoc's own way skips functions that were made elsewhere: operators are, all of them.
    ``:but:`` leaves names out, and what is a method of a class among them.
    """

    required_arguments = 1
    option_spec = {"but": str}

    def run(self):
        module = self.arguments[0]
        room = importlib.import_module(module)
        left_out = set(self.options.get("but", "").split())
        for name in filter(lambda name: inspect.isclass(getattr(room, name)), {*left_out}):
            left_out |= {*dir(getattr(room, name))}
        lines = [
            f".. autofunction:: {module}.{name}"
            for name in sorted({*dir(room)} - left_out)
            if inspect.isfunction(getattr(room, name)) and not name.startswith("_")
        ]
        return self.parse_text_to_nodes("\n".join(lines))


def is_foreign(app, what, name, item, skip, options):
    """Skip what a package imported for its own use, such as ``typing.Any``; None is no opinion."""
    module = getattr(item, "__module__", None)
    return True if module and not module.startswith("deepdive") else None


def add_pictures(app, exception):
    """Put what the library draws for the pages beside them."""
    if exception is None and app.builder.format == "html":
        import pictures

        pictures.draw(app.outdir)


def setup(app):
    app.add_directive("listed", Listed)
    app.connect("autodoc-skip-member", is_foreign)
    app.connect("build-finished", add_pictures)
