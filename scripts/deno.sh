# shellcheck shell=sh
# Finds Deno, or fetches it from npm into a cache folder. To be sourced:
#
#   find_deno          any suitable Deno: $DENO, PATH, the cache, npm
#   find_exact_deno V  that very version: $DENO, PATH, the cache, npm
#
# Both set $deno to the path of an executable, or end the script.
# POSIX sh; the common case starts no process.

DENO_VERSION=2.9.6
DENO_OLDEST=2.4

# The user's own cache folder. Under sudo, HOME may still be the caller's:
# root must not leave files there.
cache_folder() {
  if [ -n "${XDG_CACHE_HOME-}" ] && [ -O "$XDG_CACHE_HOME" ]; then
    cache=$XDG_CACHE_HOME/tracedump
  elif [ -n "${HOME-}" ] && [ -O "$HOME" ]; then
    cache=$HOME/.cache/tracedump
  else
    cache=$(home_of "$(id -u)")/.cache/tracedump
  fi
}

home_of() {
  getent passwd "$1" | cut -d : -f 6
}

fail() {
  printf 'tracedump: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf 'tracedump: hint: %s\n' "$line" >&2; done
  exit 1
}

find_deno() {
  cache_folder
  if [ -n "${DENO-}" ]; then
    command -v "$DENO" >/dev/null || fail "Cannot run \$DENO: $DENO"
    deno=$DENO
    return
  fi
  if path_deno && [ -n "$deno" ]; then return; fi
  cached_deno "$DENO_VERSION" || fetch_deno "$DENO_VERSION"
}

find_exact_deno() {
  cache_folder
  for deno in "${DENO-}" "$(command -v deno)"; do
    [ -n "$deno" ] || continue
    probe "$deno" || continue
    if [ "$version" = "$1" ]; then
      deno=$real
      return
    fi
  done
  cached_deno "$1" || fetch_deno "$1"
}

# Sets $version and $real (behind version managers and npm's wrapper, which
# would stand between the program and its signals).
probe() {
  answer=$("$1" eval 'console.log(Deno.version.deno, Deno.execPath())' \
    2>/dev/null) || return 1
  version=${answer%% *}
  real=${answer#* }
}

# Sets $deno to the one in PATH if it is new enough, else to nothing. What was
# found out about it is kept in a file as long as the executable is the same.
path_deno() {
  found=$(command -v deno) || return 1
  note=$cache/path-deno
  # shellcheck disable=SC3013 # in every sh there is, and in POSIX since 2024
  if [ "$note" -nt "$found" ]; then
    { IFS= read -r noted && IFS= read -r deno; } <"$note" || noted=
    if [ "$noted" = "$found" ]; then
      [ -n "$deno" ] || return 0
      # shellcheck disable=SC3013
      if [ -x "$deno" ] && [ "$note" -nt "$deno" ]; then return 0; fi
    fi
  fi
  deno=
  if probe "$found" && new_enough "$version"; then deno=$real; fi
  if mkdir -p "$cache" 2>/dev/null; then
    printf '%s\n%s\n' "$found" "$deno" 2>/dev/null >"$note.$$" &&
      mv -f "$note.$$" "$note"
  fi
  return 0
}

new_enough() {
  minor=${1#*.}
  minor=${minor%%.*}
  [ "${1%%.*}" -gt "${DENO_OLDEST%.*}" ] ||
    { [ "${1%%.*}" -eq "${DENO_OLDEST%.*}" ] &&
      [ "$minor" -ge "${DENO_OLDEST#*.}" ]; }
}

# Sets $deno to a version fetched before, by this user or the one behind sudo.
cached_deno() {
  deno=$cache/deno-$1/deno
  if [ -x "$deno" ]; then return 0; fi
  [ -n "${SUDO_UID-}" ] || return 1
  deno=$(home_of "$SUDO_UID")/.cache/tracedump/deno-$1/deno
  [ -x "$deno" ]
}

# Fetches a version. Scripts that do so at the same time do not disturb each
# other: the last step is one rename.
fetch_deno() {
  if ! command -v npm >/dev/null 2>&1; then
    fail "Cannot find Deno $DENO_OLDEST or newer, nor npm to fetch it" \
      "Install Node.js with npm, or Deno; sudo may hide them: run this once without sudo"
  fi
  mkdir -p "$cache" || fail "Cannot make the cache folder $cache"
  staging=$(mktemp -d "$cache/fetch.XXXXXX") || exit 1
  trap 'rm -rf "$staging"' EXIT
  trap 'exit 130' HUP INT TERM
  printf 'tracedump: fetching Deno %s from npm, once\n' "$1" >&2
  if ! npm install --prefix "$staging" --cache "$staging/npm" --no-save \
    --no-package-lock --no-audit --no-fund --no-update-notifier \
    --ignore-scripts --loglevel=error "deno@$1" \
    >"$staging/log" 2>&1 </dev/null; then
    grep -v '^npm warn' "$staging/log" | tail -n 5 >&2
    fail "Cannot fetch Deno $1 from npm" \
      "Install Deno yourself and name it in the variable DENO"
  fi
  for deno in "$staging"/node_modules/@deno/*/deno; do
    [ -e "$deno" ] && chmod 755 "$deno" && probe "$deno" && break
    fail "Cannot use Deno $1 from npm: there is none for this machine" \
      "Install Deno yourself and name it in the variable DENO"
  done
  mkdir -p "$cache/deno-$1" && mv -f "$deno" "$cache/deno-$1/deno" || exit 1
  rm -rf "$staging"
  trap - EXIT HUP INT TERM
  deno=$cache/deno-$1/deno
}
