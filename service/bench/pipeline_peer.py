"""Two Hugging Face pipelines, as users write them, in an interpreter of their own that has torch and transformers.

Run by its path, never imported by heed: `make TOKENIZER FOLDER`, then `read FOLDER` (a JSON list of texts a line) or
`answer FOLDER` (start, one answer, end).
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

KINDS = {"sentiment": 3, "topics": 11}
TOKENS = 256


def main(action: str, *arguments: str) -> None:
    """Do one of the three."""
    if action == "make":
        make(*map(Path, arguments))
    else:
        {"read": read, "answer": answer}[action](*map(Path, arguments))


def make(tokenizer: Path, folder: Path) -> None:
    """Two checkpoints of the encoder's architecture, in fp32, with untrained weights: their values cost no time."""
    import torch  # noqa: PLC0415 (only where it is needed: the start is measured)
    from transformers import (  # noqa: PLC0415 (as above)
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
    )

    marks = {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")}
    words = PreTrainedTokenizerFast(tokenizer_file=str(tokenizer), model_max_length=TOKENS, **marks)
    torch.manual_seed(0)
    for kind, labels in KINDS.items():
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=384,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
            num_labels=labels,
        )
        BertForSequenceClassification(config).save_pretrained(folder / kind)
        words.save_pretrained(folder / kind)
    print(json.dumps({"made": list(KINDS)}))


def read(folder: Path) -> None:
    """Answer each line of standard input with the CPU seconds of this process for its texts, one after the other."""
    pipelines = [_pipeline(folder, kind) for kind in KINDS]
    pipelines[0]("Warm now.")
    pipelines[1]("Warm now.")
    print(json.dumps({"versions": _versions()}), flush=True)
    for line in sys.stdin:
        texts = json.loads(line)
        before = time.process_time()
        for text in texts:
            for one in pipelines:
                one(text)
        print(json.dumps({"cpu": time.process_time() - before}), flush=True)


def answer(folder: Path) -> None:
    """Start, read one sentence with one pipeline, and say how much memory that took at most."""
    _pipeline(folder, "sentiment")("The parcel came late.")
    print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line))


def _pipeline(folder: Path, kind: str) -> Callable[[str], object]:
    import torch  # noqa: PLC0415 (as above)
    from transformers import pipeline  # noqa: PLC0415 (as above)

    torch.set_num_threads(1)
    made: Callable[[str], object] = pipeline(
        "text-classification", model=str(folder / kind), device="cpu", truncation=True, max_length=TOKENS
    )
    return made


def _versions() -> str:
    import torch  # noqa: PLC0415 (as above)
    import transformers  # noqa: PLC0415 (as above)

    return f"torch {torch.__version__}, transformers {transformers.__version__}"


if __name__ == "__main__":
    main(*sys.argv[1:])
