"""Completion scripts of bash, zsh and fish, from the description of all commands."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from swapae.cli.completable import Line, Value

# ── bash, 3.2 and later ──────────────────────────────────────────────────────────────────────────

BASH = r"""
_swapae_words() {
    local word
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$1" -- "$cur")
}

_swapae_files() {
    local file
    compopt -o filenames 2> /dev/null
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$cur")
}

_swapae() {
    local cur=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[1]} first=2 option="" back="" i
    COMPREPLY=()
    [[ $cur == "=" ]] && cur=""
    if ((COMP_CWORD == 1)); then
        _swapae_words "@COMMANDS@"
        return
    fi
    case $name in
@GROUPS@
    esac
    # The option before the cursor, and whether values lie in between; --device=cpu is three words.
    for ((i = COMP_CWORD - 1; i >= first; i--)); do
        [[ ${COMP_WORDS[i]} == "=" ]] && continue
        if [[ ${COMP_WORDS[i]} == -[a-z-]* ]]; then
            option=${COMP_WORDS[i]}
            break
        fi
        back=x
    done
    if [[ $cur == -* ]]; then
        case $name in
@OPTIONS@
        esac
        return
    fi
    case "$name $option" in
@MANY@
        *) [[ -n $back ]] && option="" ;;
    esac
    case "$name $option" in
@VALUES@
    esac
    case $name in
@PLACES@
    esac
}

complete -F _swapae swapae
"""

BASH_GROUP = """\
        @GROUP@)
            if ((COMP_CWORD == 2)); then
                _swapae_words "@WORDS@"
                return
            fi
            name="$name ${COMP_WORDS[2]}"
            first=3
            ;;"""


def bash(lines: Sequence[Line]) -> str:
    """Write the script for bash."""
    groups = [
        BASH_GROUP.replace("@GROUP@", group).replace("@WORDS@", words)
        for group, words in _groups(lines).items()
    ]
    options = [f'            {_quoted([one.name])}) _swapae_words "{_names(one)}" ;;' for one in lines]
    many = [
        f"{one.name} {name}"
        for one in lines
        for value in one.options
        if value.is_many
        for name in value.names
    ]
    text = BASH.replace("@COMMANDS@", " ".join(_tops(lines)))
    text = text.replace("@GROUPS@", "\n".join(groups)).replace("@OPTIONS@", "\n".join(options))
    text = text.replace("@MANY@", f"        {_quoted(many)}) ;;")
    text = text.replace("@VALUES@", "\n".join(_bash_cases(_values(lines), returns=True)))
    return text.replace("@PLACES@", "\n".join(_bash_cases(_places(lines), returns=False)))


def _bash_cases(taken: Iterable[tuple[str, Value]], returns: bool) -> Iterator[str]:
    """One case for all that take the same."""
    alike: dict[str, list[str]] = {}
    for pattern, value in taken:
        alike.setdefault(_bash_action(value), []).append(pattern)
    for action, patterns in alike.items():
        steps = [step for step in (action, "return" if returns else "") if step]
        yield f"        {_quoted(patterns)}) {'; '.join(steps) or ':'} ;;"


def _bash_action(value: Value) -> str:
    steps = [f'_swapae_words "{" ".join(value.words)}"'] if value.words else []
    return "; ".join(steps + ["_swapae_files"] * value.has_files)


def _quoted(patterns: Sequence[str]) -> str:
    return "|".join(f'"{pattern}"' for pattern in patterns)


# ── zsh ──────────────────────────────────────────────────────────────────────────────────────────

ZSH = r"""
_swapae_words_or_files() {
    _alternative "words:word:($*)" "files:file:_files"
}

_swapae() {
    local -a commands
    if ((CURRENT == 2)); then
        commands=(
@COMMANDS@
        )
        _describe command commands
        return
    fi
    local name=$words[2]
    case $name in
@GROUPS@
    esac
    words=("$name" "${(@)words[3,-1]}")
    ((CURRENT--))
    case $name in
@CASES@
    esac
}

if [[ $funcstack[1] == _swapae ]]; then
    _swapae "$@"
else
    compdef _swapae swapae
fi
"""

ZSH_GROUP = """\
        @GROUP@)
            if ((CURRENT == 3)); then
                commands=(
@TOLD@
                )
                _describe command commands
                return
            fi
            name="$words[2] $words[3]"
            words=("$words[1]" "$name" "${(@)words[4,-1]}")
            ((CURRENT--))
            ;;"""


def zsh(lines: Sequence[Line]) -> str:
    """Write the script for zsh."""
    groups = []
    for group in _groups(lines):
        inside = [one for one in lines if one.name.startswith(f"{group} ")]
        told = "\n".join(f"                    '{one.name.split()[1]}:{_plain(one.help)}'" for one in inside)
        groups.append(ZSH_GROUP.replace("@GROUP@", group).replace("@TOLD@", told))
    told = "\n".join(f"            '{name}:{_plain(text)}'" for name, text in _tops(lines).items())
    cases = "\n".join(_zsh_case(one) for one in lines)
    text = ZSH.replace("@COMMANDS@", told).replace("@GROUPS@", "\n".join(groups))
    return text.replace("@CASES@", cases)


def _zsh_case(line: Line) -> str:
    specs = [spec for value in line.options for spec in _zsh_option(value)]
    specs += [f"'*:{_plain(line.places[0].help)}:{_zsh_action(_joined(line.places))}'"] if line.places else []
    joined = " \\\n                ".join(specs)
    return f'        "{line.name}")\n            _arguments \\\n                {joined}\n            ;;'


def _zsh_option(value: Value) -> Iterator[str]:
    star = "*" if value.is_many else ""
    for name in value.names:
        takes = "" if value.is_flag else f":{name.lstrip('-')}:{_zsh_action(value)}"
        yield f"'{star}{name}[{_plain(value.help)}]{takes}'"


def _zsh_action(value: Value) -> str:
    if value.words and value.has_files:
        return f"_swapae_words_or_files {' '.join(value.words)}"
    return f"({' '.join(value.words)})" if value.words else "_files" if value.has_files else " "


def _plain(text: str) -> str:
    """Text without the signs that zsh's specifications are made of."""
    return text.translate(str.maketrans("'[]:\\`", "’(),/’"))


# ── fish, 3.0 and later ──────────────────────────────────────────────────────────────────────────

FISH = r"""
function __swapae_at
    set -l before (commandline -opc)
    set -l last (count (string split ' ' -- swapae $argv[1]))
    test (count $before) -ge $last
    and test "$before[2..$last]" = "$argv[1]"
end

function __swapae_after
    set -l before (commandline -opc)
    if test -z "$argv[1]"
        test (count $before) -eq 1
    else
        test (count $before) -eq 2
        and test "$before[2]" = "$argv[1]"
    end
end

complete -c swapae -e
complete -c swapae -f
"""


def fish(lines: Sequence[Line]) -> str:
    """Write the script for fish."""
    rows = [
        f"complete -c swapae -n '__swapae_after \"\"' -a {n} -d {_fish(h)}" for n, h in _tops(lines).items()
    ]
    for one in lines:
        if " " in one.name:
            group, word = one.name.split()
            rows.append(f"complete -c swapae -n '__swapae_after {group}' -a {word} -d {_fish(one.help)}")
        here = f"complete -c swapae -n '__swapae_at \"{one.name}\"'"
        rows += [f"{here} {_fish_option(value)}" for value in one.options]
        if one.places:
            rows.append(f"{here}{_fish_takes(_joined(one.places))}")
    return FISH + "\n".join(rows) + "\n"


def _fish_option(value: Value) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in value.names]
    takes = "" if value.is_flag else " -r" + (_fish_takes(value) or " -f")
    return f"{' '.join(names)}{takes} -d {_fish(value.help)}"


def _fish_takes(value: Value) -> str:
    words = f" -a '{' '.join(value.words)}'" if value.words else ""
    return words + (" -F" if value.has_files else " -f" if words else "")


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


# ── what all of them need ────────────────────────────────────────────────────────────────────────


def _tops(lines: Iterable[Line]) -> dict[str, str]:
    """First words with their help; a group's is a list of what is in it."""
    found: dict[str, str] = {}
    for one in lines:
        top, _, inside = one.name.partition(" ")
        found[top] = f"{found[top]}, {inside}" if top in found else inside or one.help
    return found


def _groups(lines: Iterable[Line]) -> dict[str, str]:
    found: dict[str, str] = {}
    for group, _, inside in (one.name.partition(" ") for one in lines):
        if inside:
            found[group] = f"{found.get(group, '')} {inside}".strip()
    return found


def _names(line: Line) -> str:
    return " ".join(name for value in line.options for name in value.names)


def _values(lines: Iterable[Line]) -> Iterator[tuple[str, Value]]:
    for one in lines:
        for value in one.options:
            if not value.is_flag:
                yield from ((f"{one.name} {name}", value) for name in value.names)


def _places(lines: Iterable[Line]) -> Iterator[tuple[str, Value]]:
    yield from ((one.name, _joined(one.places)) for one in lines if one.places)


def _joined(places: Sequence[Value]) -> Value:
    """Any of a command's places, whichever it is the turn of."""
    words = dict.fromkeys(word for place in places for word in place.words)
    return Value((), places[0].help, tuple(words), any(place.has_files for place in places))


SCRIPTS: dict[str, Callable[[Sequence[Line]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
