#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A PC/SC stack for tests: pcscd with vsmartcard's virtual reader, in a mount namespace of its own,
# so that it runs beside a pcscd of the system and needs no rights there.
#
#   stack.sh start     starts it and waits until the reader is there; prints what clients must set
#   stack.sh wait [S]  waits up to S seconds (10) for a card in the reader
#   stack.sh stop      ends what start started, by its recorded process id
#
# STACK_DIR   where socket, log and process id are kept; required, short (a socket's path), the caller's
# STACK_PORT  TCP port that the card dials; the reader's second slot takes the one behind it
set -eu

dir=${STACK_DIR:-}
port=${STACK_PORT:-36963}
reader='TwinCOS Test Reader'
pid_file=$dir/pcscd.pid
export PCSCLITE_CSOCK_NAME="$dir/run/pcscd.comm"

fail() {
    printf 'stack: %s\n' "$*" >&2
    exit 1
}

# The recorded process, if it still is what was started.
running() {
    [ -s "$pid_file" ] || return 1
    pid=$(cat "$pid_file")
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = pcscd ]
}

driver() {
    for file in /usr/lib/pcsc/drivers/serial/libifdvpcd.so /usr/lib/*/pcsc/drivers/serial/libifdvpcd.so; do
        if [ -e "$file" ]; then
            printf '%s\n' "$file"
            return
        fi
    done
    fail 'the driver of the virtual reader is missing: install vsmartcard-vpcd'
}

# Lines "READER<tab>STATE" as pcsc_scan sees them.
readers() {
    timeout 5 pcsc_scan "$@" 2>/dev/null | tr -d '\000' || true
}

start() {
    if running; then
        fail "already running, process $pid"
    fi
    for program in pcscd pcsc_scan unshare; do
        command -v $program >/dev/null || fail "no $program: install pcscd, pcsc-tools and util-linux"
    done
    library=$(driver)
    hex=$(printf '0x%X' "$port")
    mkdir -p "$dir/readers" "$dir/run"
    printf 'FRIENDLYNAME "%s"\nDEVICENAME /dev/null:%s\nLIBPATH %s\nCHANNELID %s\n' \
        "$reader" "$hex" "$library" "$hex" >"$dir/readers/vpcd"
    if [ "$(id -u)" = 0 ]; then alone='unshare -m'; else alone='unshare -r -m'; fi
    # pcscd keeps its socket at a fixed place below /run: inside, that place is ours.
    # shellcheck disable=SC2016,SC2086  # expanded by the inner shell; two words
    setsid $alone sh -c '
        mount -t tmpfs none /run && mkdir /run/pcscd && mount --bind "$0" /run/pcscd &&
        exec pcscd --foreground --error --config "$1"' "$dir/run" "$dir/readers" \
        >"$dir/pcscd.log" 2>&1 </dev/null &
    printf '%s\n' $! >"$pid_file"
    tries=100
    while [ $tries -gt 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
        kill -0 "$(cat "$pid_file")" 2>/dev/null || break
        if running; then
            case $(readers -r) in
            *"$reader 00 00"*)
                printf 'export PCSCLITE_CSOCK_NAME="%s"\n' "$PCSCLITE_CSOCK_NAME"
                printf 'export STACK_READER="%s 00 00"\n' "$reader"
                return
                ;;
            esac
        fi
    done
    cat "$dir/pcscd.log" >&2
    stop
    fail 'the reader did not appear'
}

stop() {
    running || return 0
    kill "$pid"
    tries=50
    while running && [ $tries -gt 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
    done
    if running; then
        kill -9 "$pid"
    fi
    rm -f "$pid_file"
}

wait_card() {
    tries=$(($1 * 5))
    while [ $tries -gt 0 ]; do
        if readers -q -c | grep -A 3 "$reader 00 00" | grep -q 'Card inserted'; then
            return
        fi
        sleep 0.2
        tries=$((tries - 1))
    done
    fail 'no card in the reader'
}

usage() {
    sed -n '4,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0" >&2
    exit 2
}

[ -n "$dir" ] || usage
case ${1:-} in
start) start ;;
stop) stop ;;
wait) wait_card "${2:-10}" ;;
*) usage ;;
esac
