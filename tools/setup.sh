# Sourced by tools/demo and tools/test: makes or reuses .venv with the pinned packages and this package (editable), activates it.
# VENV names another place for it; PYTHON an interpreter to make it with.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${VENV:-$root/.venv}
stamp=$venv/.requirements

suitable() { # does this interpreter run, and is it one of the versions that the TensorFlow set needs?
    "$1" -c 'import sys; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 11))' >/dev/null 2>&1
}

find_python() {
    for python in ${PYTHON:-python3.11 python3.10 python3.9 python3 python}; do
        if suitable "$python"; then
            echo "$python"
            return
        fi
    done
    local found="" candidate
    for candidate in python3.11 python3.10 python3.9 python3 python; do
        if suitable "$candidate"; then found="$found $(command -v "$candidate")"; fi
    done
    echo "$(basename "$0"): ${PYTHON:-python3} is not Python 3.9, 3.10 or 3.11, which TensorFlow 2.15 needs;" \
         "on PATH these would do:${found:- none}; install one or set PYTHON=/path/to/python3.11" >&2
    return 1
}

wanted=$(cat "$root/requirements.txt" "$root/pyproject.toml"; echo "$root")
if ! [ -x "$venv/bin/python" ] || ! suitable "$venv/bin/python" || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    python=$(find_python) || exit 2
    echo "Installing requirements.txt into $venv with $("$python" --version) ..."
    "$python" -m venv --clear "$venv" || exit 1
    pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
    "${pip[@]}" -r "$root/requirements.txt" || exit 1
    "${pip[@]}" --no-deps --no-build-isolation --editable "$root" || exit 1
    printf '%s\n' "$wanted" >"$stamp"
fi
export PATH="$venv/bin:$PATH" VIRTUAL_ENV="$venv"
