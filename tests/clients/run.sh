#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Unmodified PC/SC clients against the card: opensc-tool and opensc-explorer through pcscd and the
# virtual reader. Each check prints what it expected and what came if the two differ.
#
#   tests/clients/run.sh [BUILD]      BUILD: where twincard and twinctl are, build/host if not given
#
# Exit status: 0 all checks passed, 1 one failed, 2 something is missing. Whatever this starts it ends
# by its process id.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build/host}
pin=482915
pin_hex=343832393135
name='CLIENT TEST'
name_hex=434C49454E542054455354
failed=0 checks=0 card=

for program in "$build/twincard" "$build/twinctl" opensc-tool opensc-explorer; do
    command -v "$program" >/dev/null || {
        echo "clients: $program is missing" >&2
        exit 2
    }
done

dir=$(mktemp -d /tmp/clients-XXXXXX)
export STACK_DIR="$dir/stack"
# A port of our own: several runs may go side by side.
export STACK_PORT=$((20000 + $$ % 10000 * 2))
mkdir "$STACK_DIR"

# shellcheck disable=SC2329,SC2317  # called by the trap
clean_up() {
    if [ -n "$card" ]; then
        kill "$card" 2>/dev/null
        wait "$card"
    fi
    "$here/stack.sh" stop
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# check NAME EXPECTED REAL: EXPECTED is a shell pattern.
check() {
    checks=$((checks + 1))
    # shellcheck disable=SC2254  # a pattern
    case $3 in
    $2) echo "ok   $1" ;;
    *)
        failed=$((failed + 1))
        echo "FAIL $1: expected $2, got $3"
        ;;
    esac
}

tool() { timeout 20 opensc-tool --reader "$STACK_READER" "$@" 2>&1; }

# Sends the commands of the file $dir/script, lines "NAME HEX EXPECTED", over one connection and
# checks each response: data and status word, upper-case hex.
session() {
    arguments=$(awk '{printf " -s %s", $2}' "$dir/script")
    # shellcheck disable=SC2086  # one word an argument
    tool --card-driver default $arguments >"$dir/out"
    awk '
        function flush() { if (sw != "") print data sw; data = sw = "" }
        /^Received \(SW1=0x/ {
            flush()
            sw = substr($0, 17, 2) substr($0, 27, 2)
            next
        }
        /^Sending/ { flush(); next }
        # n bytes as "XX " each, then n characters
        sw != "" { line = substr($0, 1, int(length($0) / 4) * 3); gsub(/ /, "", line); data = data line }
        END { flush() }' "$dir/out" >"$dir/responses"
    line=0
    while read -r what _ expected; do
        line=$((line + 1))
        check "opensc-tool: $(echo "$what" | tr _ ' ')" "$expected" "$(sed -n "${line}p" "$dir/responses")"
    done <"$dir/script"
}

# ---- The card, the stack ----

"$build/twinctl" make "$dir/card" --pin $pin --name "$name" >"$dir/log" 2>&1 || {
    cat "$dir/log" >&2
    echo 'clients: twinctl could not make a card' >&2
    exit 2
}
atr=$("$build/twinctl" --card "$dir/card" info | awk '$1 == "ATR" {print $2}')
settings=$("$here/stack.sh" start) || exit 2
eval "$settings"
"$build/twincard" "$dir/card" --vpcd "localhost:$STACK_PORT" --trace "$dir/trace" 2>"$dir/card.log" &
card=$!
"$here/stack.sh" wait || exit 2

# ---- Checks ----

real=$(tool --atr | tail -n 1 | tr -d : | tr a-f A-F)
check 'opensc-tool --atr' "${atr:-an ATR}" "$real"
# Without a driver given, every driver of OpenSC probes the card, and none may take it for its own.
check 'opensc-tool --name' '*Unsupported card' "$(tool --name)"

cat >"$dir/script" <<END
SELECT_DF_5100 00A4000C025100 9000
READ_BINARY_before_the_PIN 00B0810000 6982
VERIFY_without_data 00200081 63C3
VERIFY_wrong 0020008106393939393939 63C2
READ_BINARY_after_a_wrong_PIN 00B0810000 6982
VERIFY_right 0020008106$pin_hex 9000
VERIFY_without_data,_verified 00200081 9000
READ_BINARY_after_the_PIN 00B0810000 *5F200B$name_hex*9000
SELECT_EF_5101_for_its_FCP 00A4020402510100 62*8002????*9000
SELECT_unknown_AID 00A4040C05A000000099 6A82
SELECT_unknown_FID 00A4000C025EED 6A82
END
session
fcp=$(sed -n 9p "$dir/responses")
size=$(echo "$fcp" | sed -n 's/.*8002\(....\).*/\1/p')

cat >"$dir/script" <<END
SELECT_DF_5100_again 00A4000C025100 9000
VERIFY_again 0020008106$pin_hex 9000
SELECT_EF_5101 00A4000C025101 9000
READ_BINARY_at_the_end 00B0${size:-0000}01 6B00
READ_BINARY_at_the_last_byte 00B0$(printf %04X $((0x${size:-1} - 1)))01 ??9000
READ_BINARY_over_the_end 00B0$(printf %04X $((0x${size:-1} - 1)))02 ??6282
END
session

tool --reset >/dev/null
cat >"$dir/script" <<END
SELECT_DF_5100_after_a_reset 00A4000C025100 9000
READ_BINARY_after_a_reset 00B0810000 6982
END
session

printf 'cd 5100\nverify CHV129 34:38:32:39:31:35\ncat 5101\n' >"$dir/explore"
out=$(timeout 20 opensc-explorer --reader "$STACK_READER" --card-driver default "$dir/explore" 2>&1)
check 'opensc-explorer: verify' '*Code correct*' "$out"
check 'opensc-explorer: cat 5101' "*${name_hex}*" \
    "$(echo "$out" | sed -n 's/^[0-9A-F]*: \(\(.. \)*\).*/\1/p' | tr -d ' \n')"
printf 'cd 5100\nverify CHV129 39:39:39:39:39:39\n' >"$dir/explore"
check 'opensc-explorer: verify, wrong' '*2 tries left*' \
    "$(timeout 20 opensc-explorer --reader "$STACK_READER" --card-driver default "$dir/explore" 2>&1)"

# ---- Speed: information, no check ----

if "${CC:-gcc}" -O2 -std=c11 -D_GNU_SOURCE -I/usr/include/PCSC -o "$dir/pcsc_speed" "$here/pcsc_speed.c" \
    -lpcsclite 2>"$dir/log"; then
    speed=$("$dir/pcsc_speed" "$STACK_READER" 20000 00A4000C025100 2>&1)
    check 'pcsc_speed: all SELECT answered' '*refused 0 of 20000' "$speed"
    echo "     SELECT through pcscd: $speed (goal: 5000)"
else
    cat "$dir/log" >&2
    check 'pcsc_speed' 'a program' 'nothing: it does not compile'
fi
# pcsc_speed has left the card without power.
printf 'SELECT_DF_5100_after_power_off 00A4000C025100 9000\nREAD_BINARY_after_power_off 00B0810000 6982\n' \
    >"$dir/script"
session

# ---- The security process dies ----

children=$(cat "/proc/$card/task/$card/children")
# shellcheck disable=SC2086  # one word a process, and there is one
set -- $children
check 'one security process' 1 $#
[ $# = 1 ] && kill -9 "$1"
printf 'SELECT_without_security_chip 00A4000C025100 6F00\n' >"$dir/script"
session
check 'opensc-tool --atr without security chip' "${atr:-an ATR}" "$(tool --atr | tail -n 1 | tr -d : | tr a-f A-F)"
tool --reset >/dev/null
printf 'SELECT_after_a_reset 00A4000C025100 9000\n' >"$dir/script"
session

# ---- The trace keeps secrets, the card ends with its reader ----

check 'no PIN in the trace' 0 "$(grep -c "$pin_hex" "$dir/trace")"
check 'VERIFY in the trace' '*[1-9]*' "$(grep -c 'VERIFY' "$dir/trace")"
"$here/stack.sh" stop
wait "$card"
check 'twincard ends with its reader' 0 $?
card=

echo "clients: $((checks - failed)) passed, $failed failed"
[ $failed = 0 ]
