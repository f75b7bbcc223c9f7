"""`heed classify --explain`: which words a belief rests on."""


def test_each_word_is_told_with_what_it_adds(bare):
    text = "The staff were wonderful, the parking is terrible"
    [result] = bare.json("classify", text, "--explain", "sentiment", HEED_MODEL="heed-en")["results"]
    told = result["highlights"]
    assert (told["axis"], told["label"]) == ("sentiment", result["sentiment"]["label"])
    weights = {text[one["start"] : one["end"]]: one["weight"] for one in told["words"]}
    assert list(weights) == ["The", "staff", "were", "wonderful", "the", "parking", "is", "terrible"]
    assert (weights["terrible"] > weights["wonderful"]) is (told["label"] == "negative")
    out, _ = bare("classify", text, "--explain", "type", HEED_MODEL="heed-en")
    assert "terrible" in out


def test_a_model_that_is_broken_is_to_be_put_right_first(bare, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"")
    _, err = bare("classify", "Late.", "--explain", "sentiment", code=2, HEED_MODEL=str(tmp_path))
    assert err.splitlines()[-1].endswith("cannot say what single words add: put the model right first.")


def test_the_keywords_cannot_say_it(bare):
    _, err = bare("classify", "Late.", "--explain", "sentiment", code=2, HEED_MODEL="keywords")
    assert "leave HEED_MODEL unset" in err
