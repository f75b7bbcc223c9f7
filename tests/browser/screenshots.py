"""`make screenshots`: every page in all six ways; axe looks at each, and pictures are kept for people to look at."""

import os
from pathlib import Path

import pytest
from chromium import THEMES, WIDTHS
from looks import LOOKS

PICTURED = (375, 1280)
README = ("inbox", "story", "policies", "backlog", "label")
LARGEST = 200_000  # bytes of a picture in the repository


@pytest.fixture(scope="session")
def folder() -> Path:
    made = Path(os.environ.get("SCREENSHOTS", "screenshots"))
    made.mkdir(parents=True, exist_ok=True)
    return made


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("seen", LOOKS, ids=lambda seen: seen.name)
def test_a_page_in_every_way(filled, look, folder, seen, width, theme):
    watched = look(seen.role)
    watched.page.set_viewport_size({"width": width, "height": 900})
    watched.page.emulate_media(color_scheme=theme)
    assert watched.page.goto(seen.address(filled)).status == seen.status
    if width in PICTURED:
        watched.page.screenshot(path=folder / f"{seen.name}-{width}-{theme}.png", full_page=True)
    assert watched.barriers() == ""


@pytest.mark.parametrize("name", README)
def test_a_picture_for_the_readme(filled, look, repository, name):
    (seen,) = [one for one in LOOKS if one.name == name]
    page = look(seen.role).page
    page.set_viewport_size({"width": 1280, "height": 720})
    assert page.goto(seen.address(filled)).status == 200
    picture = page.screenshot(path=repository / "tests/browser/pictures" / f"{name}.png")
    assert len(picture) <= LARGEST
