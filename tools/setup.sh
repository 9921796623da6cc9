# Sourced by tools/demo and tools/test, or from a shell (. tools/setup.sh): makes or reuses .venv, with this package (editable)
# and one of two tested sets of packages, and activates it.
#   requirements.txt           TensorFlow 2.15, on Python 3.9 to 3.11; taken where one of these is
#   requirements-current.txt   TensorFlow 2.21, on Python 3.10 to 3.13; taken elsewhere, or with --current
# A finished .venv is used as it is. VENV names another place for it, PYTHON an interpreter to make it with. pip's own settings
# hold: PIP_FIND_LINKS=FOLDER PIP_NO_INDEX=1 installs from wheels in a folder.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${VENV:-$root/.venv}
forced=""
if [ "${1:-}" = --current ]; then forced=current; shift; fi

say() { echo "$(basename -- "$0"): $*" >&2; }

fits() { # SET PYTHON: does it run, and is it one of the versions that the set is for?
    local first=9 last=11
    if [ "$1" = current ]; then first=10 last=13; fi
    "$2" -c "import sys; sys.exit(not (3, $first) <= sys.version_info[:2] <= (3, $last))" >/dev/null 2>&1
}

all_pythons="python3.11 python3.10 python3.9 python3.12 python3.13 python3 python"

python_for() { # SET: the first interpreter that fits
    local candidate
    for candidate in ${PYTHON:-$all_pythons}; do
        if fits "$1" "$candidate"; then echo "$candidate"; return; fi
    done
    return 1
}

refuse_python() {
    local found="" candidate versions="3.9 to 3.13"
    if [ -n "$forced" ]; then versions="3.10 to 3.13, which --current needs"; fi
    for candidate in $all_pythons; do
        if fits "${forced:-original}" "$candidate" || fits current "$candidate"; then
            found="$found $(command -v "$candidate")"
        fi
    done
    say "${PYTHON:-python3} is not Python $versions; on PATH these would do:${found:- none};" \
        "install one or set PYTHON=/path/to/python3.11"
}

file_of() { if [ "$1" = current ]; then echo requirements-current.txt; else echo requirements.txt; fi; }

wanted() { # SET: what the stamp of a finished .venv holds
    (cd "$root" && cat "$(file_of "$1")" pyproject.toml setup.py && echo "$root")
}

held() { # the set of the finished .venv, if there is one
    local set
    for set in original current; do
        if fits "$set" "$venv/bin/python" && [ "$(cat "$venv/.requirements" 2>/dev/null)" = "$(wanted "$set")" ]; then
            echo "$set"; return
        fi
    done
}

check_place() { # SET PYTHON: everything that can be known before the download
    local need=3500 free version
    if [ "$1" = current ]; then need=3000; fi
    if [ -e "$venv" ] && ! [ -f "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
        say "$venv: is there and is no virtual environment; give another place with VENV=FOLDER"; return 2
    fi
    mkdir -p "$(dirname "$venv")" || return 2
    if ! "$2" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$2" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "Python $version ($2) lacks its module venv or ensurepip; on Debian and Ubuntu: apt install python$version-venv"
        return 2
    fi
    free=$(df -Pk "$(dirname "$venv")" | awk 'NR == 2 { print int($4 / 1024) }')
    if [ "${free:-$need}" -lt "$need" ]; then
        say "$(dirname "$venv"): has $free MB free, the packages take about $need; make room, or give another place with VENV=FOLDER"
        return 2
    fi
    echo "It takes about $need MB of disk and a download of about 800 MB (less what pip has in its cache)."
}

install() { # SET PYTHON
    local pip=("$venv/bin/python" -m pip install --disable-pip-version-check)
    if ! [ -t 1 ]; then pip+=(--quiet); fi
    "$2" -m venv --clear "$venv" || { say "$venv: could not be made, see above"; return 2; }
    export PIP_RETRIES=${PIP_RETRIES:-10} PIP_DEFAULT_TIMEOUT=${PIP_DEFAULT_TIMEOUT:-60}
    if ! { "${pip[@]}" -r "$root/$(file_of "$1")" && "${pip[@]}" --no-deps --no-build-isolation --editable "$root"; }; then
        say "the packages could not be installed, pip's lines above say why; it needs pypi.org, or wheels in a folder" \
            "(PIP_FIND_LINKS=FOLDER PIP_NO_INDEX=1); start again to go on, finished downloads are kept"
        return 1
    fi
    wanted "$1" >"$venv/.requirements"
}

set_up() {
    local set python why
    set=$(held)
    if [ -n "$set" ] && [ "${forced:-$set}" = "$set" ]; then return; fi
    if [ -z "$forced" ] && python=$(python_for original); then
        set=original why="it is what the ports were checked with"
    elif python=$(python_for current); then
        set=current why=${forced:+--current asks for it}
        why=${why:-no Python 3.9, 3.10 or 3.11 is here, which requirements.txt needs}
    else
        refuse_python; return 2
    fi
    if [ -f "$venv/pyvenv.cfg" ] && ! [ -f "$venv/.requirements" ]; then
        echo "The installation in $venv was interrupted; it starts anew."
    fi
    echo "Installing $(file_of "$set") into $venv with $("$python" --version): $why."
    check_place "$set" "$python" && install "$set" "$python"
}

set_up || return
export PATH="$venv/bin:$PATH" VIRTUAL_ENV="$venv"
