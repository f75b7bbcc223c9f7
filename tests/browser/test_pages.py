"""Every page, on a telephone and at a desk, in light and in dark: nobody is kept out, and nothing goes wrong.

axe looks at each page at 320 pixels in dark and at 1280 in light; in all six ways in `make screenshots`.
"""

import pytest
from chromium import WIDTHS, stop
from fastapi.routing import APIRoute
from looks import LOOKS

from service.app import PAGES

BARRIERS = {320: "dark", 1280: "light"}  # what axe looks at: the colours do not change what is wide
STOPS = 20  # of the keyboard, from the top of each page
NO_PAGE = {"/", "/assets/{digest}/{name}"}


def test_every_page_is_looked_at():
    routes = {
        route.path
        for module in PAGES
        for route in module.router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ())
    }
    pages = {path for path in routes - NO_PAGE if not path.endswith((".csv", ".json", ".html"))}
    assert pages == {look.route for look in LOOKS if look.route}


@pytest.mark.parametrize("seen", LOOKS, ids=lambda seen: seen.name)
def test_a_page_keeps_nobody_out(filled, look, seen):
    watched = look(seen.role)
    page = watched.page
    assert page.goto(seen.address(filled)).status == seen.status
    assert page.locator("h1").count() == 1
    assert page.title().removesuffix(" · heed") not in {"", page.title()}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert watched.wide() <= 0, f"{width} pixels"
        if width in BARRIERS:
            page.emulate_media(color_scheme=BARRIERS[width])
            assert watched.barriers() == "", f"{width} pixels, {BARRIERS[width]}"
    page.set_viewport_size({"width": 375, "height": 600})
    assert len(walked(page)) > 2
    assert (watched.heard, watched.reports(), watched.dialogs) == ([], [], [])


def walked(page):
    """The stops of the keyboard from the top of the page: each is to be seen and not covered."""
    stops = []
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        stops.append(stop(page))
        if stops[-1] is None:
            break
    return stops
