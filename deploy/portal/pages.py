"""The portal's pages for people: what it holds, and where a payer pays."""

from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).with_name("templates")


def render(name: str, **facts: Any) -> HTMLResponse:  # noqa: ANN401 - a template takes any facts
    """Return a page made of a template and facts."""
    pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    pages.filters["vnd"] = lambda amount: f"{amount:,}".replace(",", ".")
    return HTMLResponse(pages.get_template(name).render(facts))
