"""File names, for completion in a shell."""

from pathlib import Path


def files(incomplete: str) -> list[str]:
    """Those that begin like this; directories end with a slash."""
    folder, slash, name = incomplete.rpartition("/")
    try:
        found = sorted(Path(folder + slash or ".").iterdir())
    except OSError:
        return []
    return [
        f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}"
        for path in found
        # Hidden ones for those who ask.
        if path.name.startswith(name) and path.name.startswith(".") == name.startswith(".")
    ]


def files_after_at(incomplete: str) -> list[str]:
    """The same for what takes a file as `@FILE`, and text without."""
    if not incomplete.startswith("@"):
        return []
    return [f"@{name}" for name in files(incomplete[1:])]
