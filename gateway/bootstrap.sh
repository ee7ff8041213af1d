# What gateway/demo and tests/check share: installing what is missing, building, saying what goes on.
# Sourced by bash scripts with `set -u`; they set $root (the source folder) first.
# shellcheck shell=bash disable=SC2034,SC2154

BUILD_PACKAGES="autoconf automake make gcc libc6-dev pkg-config gsoap libgsoap-dev libxml2-dev libxmlsec1-dev
 libssl-dev libcurl4-openssl-dev libevent-dev libsqlite3-dev libfyaml-dev libjansson-dev libutf8proc-dev libcunit1-dev
 libmimalloc-dev"

export LC_ALL=C.UTF-8 # texts and sorting as here, names with accents readable; every Debian has it

logs=$root/build/logs
started=$(date +%s)

say() {
    printf '%4ss  %s\n' "$(($(date +%s) - started))" "$*"
}

die() {
    printf '\n%s: %s\n' "$0" "$*" >&2
    exit 1
}

# shown PATH: as a person in the current folder would write it.
shown() {
    printf '%s' "${1#"$PWD"/}"
}

log_of() { # log_of TEXT
    printf '%s/%s.log' "$logs" "$(printf '%s' "$1" | tr -cs 'A-Za-z0-9' '-' | cut -c1-60)"
}

# The lines that name an error (in what a parallel make prints they are rarely the last) and the end.
show_failure() { # show_failure LOG
    if [ "$(wc -l <"$1")" -le 40 ]; then
        cat "$1"
        return
    fi
    grep -E -A 3 'error: |undefined reference|\*\*\* |^E: ' "$1" | head -n 30
    printf '...\n'
    tail -n 10 "$1"
}

# step TEXT COMMAND...: says what it does; its output goes to a log, of which what matters is shown when it fails.
step() {
    local text=$1 log
    shift
    log=$(log_of "$text")
    mkdir -p "$logs"
    say "$text"
    if ! "$@" >"$log" 2>&1; then
        printf '\n' >&2
        show_failure "$log" >&2
        die "failed: $text (the whole output is in $(shown "$log"))"
    fi
}

missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

# need_packages PACKAGE...: installs what is missing; without root says what to install.
need_packages() {
    local missing
    command -v dpkg-query >/dev/null || return 0 # not Debian: configure says which libraries are missing
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return 0
    [ "$(id -u)" = 0 ] || die "these Debian packages are missing; as root run: apt-get install --no-install-recommends ${missing% }"
    export DEBIAN_FRONTEND=noninteractive
    step "updating the package list" apt-get -q update
    # shellcheck disable=SC2086
    step "installing ${missing% }" apt-get -qy --no-install-recommends install $missing
}

# What an earlier run as another user made, this one could neither replace nor remove.
need_own_files() {
    local file
    file=$(find "$root" -maxdepth 3 -path "$root/.git" -prune -o ! -writable -print 2>/dev/null | head -n 1)
    [ -z "$file" ] || die "$(id -un) cannot write $(shown "$file"): run this as $(stat -c %U "$file"), or as root run: chown -R $(id -un) $root"
}

prepare_sources() {
    need_own_files
    if [ ! -x "$root/configure" ] || [ "$root/configure.ac" -nt "$root/configure" ]; then
        step "making configure" autoreconf -i "$root"
    fi
}

# build_in FOLDER TARGETS CONFIGURE-ARGUMENTS...: configures once, then makes TARGETS.
build_in() {
    local folder=$1 targets=$2
    shift 2
    mkdir -p "$folder"
    if [ ! -f "$folder/config.status" ] || [ "$root/configure" -nt "$folder/config.status" ]; then
        (cd "$folder" && step "configuring ${folder#"$root"/}" "$root/configure" -q "$@") || exit 1
    fi
    # shellcheck disable=SC2086
    step "building ${folder#"$root"/}$([ -e "$folder/libisthmus.a" ] || echo " for the first time (some minutes)")" make -s -j "$(nproc)" -C "$folder" $targets
}
