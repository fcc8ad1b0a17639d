"""The migrations build exactly what the models say, on both databases, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from careline.clinic import db
from careline.clinic.tables import metadata


def config(url: str) -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(db.__file__).parent / "migrations"))
    made.attributes["url"] = url
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return str(request.getfixturevalue("postgres_url"))


def test_the_migrated_database_is_what_the_models_say(url: str) -> None:
    db.migrate(url)
    engine = db.make_engine(url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata())
    engine.dispose()
    assert differences == []


def test_all_migrations_can_be_taken_back_and_made_again(url: str) -> None:
    db.migrate(url)
    command.downgrade(config(url), "base")
    db.migrate(url)
