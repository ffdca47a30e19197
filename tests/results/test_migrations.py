"""The database of results."""

from shared import migrations


def test_migrated_database_is_what_the_models_say(database_url: str) -> None:
    migrations.check("services.results", database_url)
