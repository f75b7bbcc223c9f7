"""The help desk's page: tickets in, HTML out. What customers wrote is shown, never run."""

import html
from collections.abc import Sequence

from service.deliver.plain_text import visible
from service.demo.tickets import Ticket

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Demo help desk</title>
<link rel="stylesheet" href="/style.css">
</head>
"""


def page(tickets: Sequence[Ticket]) -> str:
    """The whole page; `tickets` come oldest first and are shown newest first."""
    count = "1 ticket" if len(tickets) == 1 else f"{len(tickets)} tickets"
    order = ", newest first" if len(tickets) > 1 else ""
    shown = "\n".join(_article(ticket) for ticket in reversed(tickets))
    return (
        f"{_HEAD}<body>\n<header>\n<h1>Demo help desk</h1>\n<p>{count}{order}</p>\n</header>\n"
        f"<main>\n{shown}\n</main>\n</body>\n</html>\n"
    )


def _article(ticket: Ticket) -> str:
    name = html.escape(ticket.id)
    facts = f"<p>Priority: {_safe(ticket.priority)}{_repeats(ticket.repeats)}</p>"
    return (
        f'<article id="{name}">\n<h2><span>{name}</span> {_safe(ticket.title)}</h2>\n{facts}\n'
        f"<pre>{_safe(ticket.body)}</pre>\n{_comments(ticket.comments)}</article>"
    )


def _repeats(count: int) -> str:
    return f", sent again {count} times, kept once" if count > 1 else ", sent again, kept once" if count else ""


def _comments(comments: Sequence[str]) -> str:
    items = "".join(f"<li>{_safe(comment)}</li>" for comment in comments)
    return f"<h3>Comments</h3>\n<ul>{items}</ul>\n" if items else ""


def _safe(text: str) -> str:
    return f"<bdi>{html.escape(visible(text))}</bdi>"
