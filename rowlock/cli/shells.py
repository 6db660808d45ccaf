"""`rowlock completion`, and what it makes shells ask when the tabulator is pressed."""

import os
import shlex
from collections.abc import Mapping
from typing import Final

from rowlock.cli.commands import Argument, Command, command
from rowlock.cli.completion import candidates
from rowlock.cli.values import Choice

# Each calls the program with the words up to the cursor, and with the place of that which is
# being typed. The answer is a line for each candidate, but for bash with what it is about.
_SCRIPTS: Final = {
    # What we know nothing of may be a file: `default`. After a directory more of it is typed.
    "bash": """\
_rowlock_completion() {
    local IFS=$'\\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
        _ROWLOCK_COMPLETE=complete_bash "$1"))
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
    return 0
}
complete -o default -F _rowlock_completion rowlock
""",
    "zsh": """\
#compdef rowlock
_rowlock_completion() {
    local -a values shown folders
    local value about
    while IFS=$'\\t' read -r value about; do
        if [[ $value == */ ]]; then
            folders+=("$value")
        else
            values+=("$value")
            shown+=("$value${about:+  -- $about}")
        fi
    done < <(COMP_WORDS="${(pj:\\n:)words[1,CURRENT]}" COMP_CWORD=$((CURRENT - 1)) \\
        _ROWLOCK_COMPLETE=complete_zsh rowlock)
    compadd -S '' -a folders
    compadd -l -d shown -a values
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _rowlock_completion "$@"
else
    compdef _rowlock_completion rowlock
fi
""",
    "fish": """\
function _rowlock_completion
    set -l words (string escape -- (commandline -opc) (commandline -ct) | string collect)
    COMP_WORDS=$words COMP_CWORD=(count (commandline -opc)) \\
        _ROWLOCK_COMPLETE=complete_fish rowlock
end
complete --no-files --command rowlock --arguments "(_rowlock_completion)"
""",
}


@command("completion", "Shell", Argument("shell", Choice(*_SCRIPTS), "For which shell."))
def completion(*, shell: str) -> None:
    """Print what makes a shell complete commands, options and names of files.

    In ~/.bashrc: eval "$(rowlock completion bash)"

    In ~/.zshrc, after compinit: eval "$(rowlock completion zsh)"

    In ~/.config/fish/config.fish: rowlock completion fish | source
    """
    print(_SCRIPTS[shell], end="")


def answer(root: Command, commands: Mapping[str, Command], asked: str) -> None:
    """Print what the word at the cursor may become."""
    words, place = _split(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
    before, incomplete = words[1:place], "".join(words[place : place + 1])
    is_bash = asked == "complete_bash"
    if is_bash:
        # It takes `--output=file` for three words, and `@file` for two.
        before = [word for word in before if word != "="]
        incomplete = incomplete.removeprefix("=")
        if before[-1:] == ["@"]:
            incomplete = f"@{incomplete}"
            before.pop()
    for value, about in candidates(root, commands, before, incomplete):
        if value.isprintable():
            print(value if is_bash else f"{value}\t{about}")


def _split(line: str) -> list[str]:
    """As a shell does, but where a quote is still open."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in lexer:
            words.append(word)  # noqa: PERF402  (those before the quote stay)
    except ValueError:
        words.append(lexer.token)
    return words
