"""What the README shows works as shown."""

import json
import re
import textwrap

from models.taxonomy import default_taxonomy
from service.ingest.record import FeedbackRecord
from service.route.policy_document import check
from service.settings import Settings


def test_the_policy_of_the_readme_is_sound(repository):
    shown = re.search(r"^    name: store\n(?:    .*\n)+", (repository / "README.md").read_text(), re.MULTILINE)
    assert shown
    checked = check(textwrap.dedent(shown[0]), [topic.name for topic in default_taxonomy().topics])
    assert [rule.name for rule in checked.policy.rules] == ["detractor-follow-up", "negative-text-ticket"]


def test_the_record_of_the_readme_is_accepted(repository):
    shown = re.search(r"\{\"source\": .*?\]\}(?=')", (repository / "README.md").read_text(), re.DOTALL)
    assert shown
    assert FeedbackRecord.model_validate(json.loads(shown[0])).scores.nps == 3


def test_every_setting_is_explained(repository):
    readme = (repository / "README.md").read_text()
    missing = [name for name in Settings.model_fields if f"HEED_{name.upper()}" not in readme]
    assert missing == []


def test_every_linked_file_is_there(repository):
    for document in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        text = (repository / document).read_text()
        named = set(re.findall(r"\]\(([\w./-]+)\)", text)) | set(
            re.findall(r"`((?:service|models|tests)/[\w./-]+\.py)`", text)
        )
        assert [name for name in sorted(named) if not (repository / name).exists()] == [], document
