"""Migrations, run by Alembic. Apart from `revisions`: who serves need not load it."""

from alembic.config import Config
from alembic.util import CommandError

from alembic import command
from app.domain.errors import UnfitServerError
from app.mysql.revisions import HOME, head, is_fit, present
from app.settings import Settings


def config_for(settings: Settings | None = None) -> Config:
    """Alembic's configuration, wherever the process was started."""
    config = Config()
    config.set_main_option("script_location", str(HOME / "alembic"))
    if settings is not None:
        config.attributes["settings"] = settings
    return config


def upgrade(settings: Settings) -> str:
    """Bring the database's schema to this version's, unless it is newer; its revision.

    Any number may do so at once: they wait for each other.
    """
    found = present(settings)
    if found is not None and is_fit(found):
        return found
    if found is not None and not found.isdecimal():
        raise UnfitServerError(
            reason=f"The database belongs to another program: revision {found} is not Rowlock's."
        )
    try:
        command.upgrade(config_for(settings), "head")
    except CommandError:
        # A newer version has migrated while this one waited for its turn.
        found = present(settings)
        if found is None or not is_fit(found):
            raise
        return found
    return head()


def downgrade(settings: Settings) -> None:
    """Take every table away."""
    command.downgrade(config_for(settings), "base")
