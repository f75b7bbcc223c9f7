"""Which names mean a classifier."""

import pytest

from models.catalog import UnknownClassifier, check_name


@pytest.mark.parametrize(
    "name", ["keywords", "keywords@1", "models/of-ours", "/mnt/model", "./here", "someone/bert-base", "folder"]
)
def test_a_name_of_the_catalog_a_folder_or_an_id_may_be_asked_for(name, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    check_name(name)


@pytest.mark.parametrize(
    "name", ["", "crystal-ball", "KEYWORDS", "@1", "bert-base-uncased", "a" * 300, "/" + "b" * 300]
)
def test_another_name_is_refused_with_what_there_is(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownClassifier) as refused:
        check_name(name)
    assert f"There is no classifier {name!r}; there are: " in str(refused.value)
    assert "keywords" in str(refused.value)
    assert "its folder, or as owner/name" in str(refused.value)
