#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs into an empty folder, then uses what is there as a firmware does: pkg-config flags, installed headers,
# installed libraries, installed programs. Called by `make test-install`.
set -eu
cd "$(dirname "$0")/../.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
prefix=/opt/twincos

fail() {
    echo "install: $1"
    exit 1
}

expect() { # what, wanted, found
    [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

$MAKE --no-print-directory BUILD="$BUILD" CC="$CC" DESTDIR="$root" PREFIX=$prefix install

# Only our own pkg-config files, as if $root were the root folder.
export PKG_CONFIG_LIBDIR="$root$prefix/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
version=$(sed -n 's/^#define COS_VERSION *"\(.*\)"/\1/p' "$root$prefix/include/cos/config.h")
[ -n "$version" ] || fail 'no version in the installed config.h'
expect 'version of cos-app' "$version" "$(pkg-config --modversion cos-app)"
expect 'version of cos-secure' "$version" "$(pkg-config --modversion cos-secure)"

# shellcheck disable=SC2046,SC2086  # flags are several words
build() { # source, package
    $CC -std=c11 $WARNINGS $(pkg-config --cflags "$2") -o "$root/$2" "tests/install/$1" $(pkg-config --libs "$2")
}
build firmware.c cos-app
expect 'default ATR' 3B878031FE458031C873F7C11BAA "$("$root/cos-app")"
build security.c cos-secure
expect 'self-test' 0 "$("$root/cos-secure")"

# Every header by itself.
headers=0
for header in "$root$prefix"/include/cos/*.h; do
    name=$(basename "$header")
    printf '#include <cos/%s>\nextern int unused;\n' "$name" >"$root/alone.c"
    # shellcheck disable=SC2086
    $CC -std=c11 $WARNINGS -I"$root$prefix/include" -fsyntax-only "$root/alone.c" || fail "cos/$name does not stand alone in C11"
    headers=$((headers + 1))
done

# No chip's library holds the other chip.
for pair in app:cos_secure_serve secure:cos_app_command; do
    if nm "$root$prefix/lib/libcos-${pair%:*}.a" 2>/dev/null | grep -q " T ${pair#*:}\$"; then
        fail "libcos-${pair%:*}.a holds ${pair#*:}"
    fi
done

for program in twincard twinctl; do
    [ -x "$root$prefix/bin/$program" ] || fail "$program is not there"
    "$root$prefix/bin/$program" --help >"$root/help" 2>&1 || fail "$program --help fails: $(cat "$root/help")"
    [ -s "$root/help" ] || fail "$program --help says nothing"
done
echo "install: $headers headers stand alone, 2 firmwares built and run, 2 programs start"
