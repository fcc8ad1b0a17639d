"""Train the assistant, if there is no model of exactly these files yet: `rasa_server/.venv/bin/python -m rasa_server.train`.

The model is models/<hash>.tar.gz, where the hash covers config.yml, domain.yml, data/ and our own components. Older
models are removed; so `models/` never grows and a running server is never given another model under its feet.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import sys
import time
from pathlib import Path

from rasa_server import environment

ROOT = environment.ROOT
MODELS = ROOT / "models"
COMPONENTS = ("text_intent.py", "open_question.py", "safety_policy.py", "patches.py")
KEPT = 3


def sources() -> list[Path]:
    """Every file that a model is made from, in a fixed order."""
    data = sorted((ROOT / "data").rglob("*.yml"))
    components = [ROOT / "rasa_server" / name for name in COMPONENTS]
    return [ROOT / "config.yml", ROOT / "domain.yml", ROOT / "rasa_server" / "uv.lock", *data, *components]


def fingerprint() -> str:
    """16 hex digits that change with any of `sources()`."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def model_path() -> Path:
    """Where the model of these files is, or will be."""
    return MODELS / f"{fingerprint()}.tar.gz"


def train(force: bool = False) -> Path:
    """The model of these files, trained now if it is not there. SystemExit when Rasa refuses the files."""
    environment.prepare()
    model = model_path()
    if model.exists() and not force:
        print(f"The assistant is trained ({model.name}).", flush=True)
        return model
    print("Training the assistant (under half a minute) ...", flush=True)
    started = time.monotonic()
    import rasa
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.WARNING)  # without it, every state of every rule is printed
    result = rasa.train(
        domain=str(ROOT / "domain.yml"),
        config=str(ROOT / "config.yml"),
        training_files=[str(ROOT / "data")],
        output=str(MODELS),
        fixed_model_name=model.name.removesuffix(".tar.gz"),
        force_training=force,
    )
    if result.code != 0 or not model.exists():
        sys.exit("Training failed: see above.")
    for old in sorted(MODELS.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        old.unlink(missing_ok=True)
    print(f"Trained in {time.monotonic() - started:.0f} s: {model.relative_to(ROOT)}", flush=True)
    return model


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="train even if there is a model of these files")
    train(parser.parse_args().force)
