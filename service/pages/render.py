"""From a template and values to an answer: one Jinja environment, strict and escaping, and the headers of a page."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from service.pages import words
from service.pages.rooms import rooms_of
from service.people.sessions import SignedIn

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_ASSETS: Mapping[str, str] = {
    "heed.css": "text/css",
    "heed.js": "text/javascript",
    "review.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("service.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= words.FILTERS
    environment.globals |= {"asset": asset_address}
    return environment


@cache
def asset(name: str) -> tuple[bytes, str] | None:
    """A file of ours and its media type; None where there is no such file."""
    if name not in _ASSETS:
        return None
    return (files("service.pages") / "assets" / name).read_bytes(), _ASSETS[name]


@cache
def asset_address(name: str) -> str:
    """Where a file is found; the address changes with its content, so that it may be kept for ever."""
    found = asset(name)
    if found is None:
        raise LookupError(name)
    return f"/assets/{sha256(found[0]).hexdigest()[:12]}/{name}"


def page(template: str, visitor: SignedIn | None, *, status: int = 200, **values: object) -> Response:
    """Render a template for whoever looks at it (None: nobody has signed in)."""
    rooms = rooms_of(visitor.caller) if visitor else []
    text = _environment().get_template(template).render(visitor=visitor, rooms=rooms, **values)
    return HTMLResponse(text, status, {"Content-Security-Policy": _CSP, "Referrer-Policy": "same-origin"})
