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

# The data field of CREATE FILE: a template 62 with this value, in hex.
fcp() { printf '62%02X%s' $((${#1} / 2)) "$1"; }
# A command of case 3: header, data field, in hex.
command3() { printf '%s%02X%s' "$1" $((${#2} / 2)) "$2"; }

tool() { timeout 20 opensc-tool --reader "$STACK_READER" "$@" 2>&1; }

# Runs the commands of opensc-explorer that stand in the argument, a line each.
explore() {
    printf '%s\n' "$1" >"$dir/explore"
    timeout 20 opensc-explorer --reader "$STACK_READER" --card-driver default "$dir/explore" 2>&1
}
# What of it is a hex dump, without spaces.
dump() { sed -n 's/^[0-9A-F]\{8\}: \(\(.. \)*\).*/\1/p' | tr -d ' \n'; }

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
# A DF in which all may do everything, with an EF of each kind. In the MF the issuer alone creates and deletes.
all=8C087F00000000000000
files_name=F0434C49454E5401
set -- 00A4000C023F00
for value in "82013883025200810200408408$files_name" 8201018302520180020020880108 \
    8205024100080483025202880110 820504210010088302520380020040880118 \
    8205062100040383025204880120 820239218302520580020040880128; do
    set -- "$@" "$(command3 00E00000 "$(fcp "$value$all")")"
    [ $# -gt 2 ] || set -- "$@" "00A4040C08$files_name" # the others go into it
done
"$build/twinctl" --card "$dir/card" apdu --issuer "$@" >"$dir/log" 2>&1
[ "$(grep -c '^9000$' "$dir/log")" = $# ] || {
    cat "$dir/log" >&2
    echo 'clients: the issuer could not create files' >&2
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

out=$(explore 'cd 5100
verify CHV129 34:38:32:39:31:35
cat 5101')
check 'opensc-explorer: verify' '*Code correct*' "$out"
check 'opensc-explorer: cat 5101' "*${name_hex}*" "$(echo "$out" | dump)"
check 'opensc-explorer: verify, wrong' '*2 tries left*' "$(explore 'cd 5100
verify CHV129 39:39:39:39:39:39')"

# ---- Files: what everybody may see ----

check 'opensc-explorer: info of the MF' '*Dedicated File  ID 3F00*' "$(explore info)"
check 'opensc-explorer: info of EF.DIR' '*ID 2F00*64 bytes*Transparent*activated*' "$(explore 'info 2F00')"
check 'opensc-explorer: cat EF.DIR' '611B4F09F05457494E434F5301500E*' "$(explore 'cat 2F00' | dump)"
check 'opensc-explorer: cat EF.ATR/INFO' '4301F84703*7F6608*' "$(explore 'cat 2F01' | dump)"
service=$(explore 'cat 2F01' | dump | cut -c5-6)
check 'the ATR and EF.ATR/INFO agree on card services' "*8031${service:-none}*" "${atr:-none}"
check 'opensc-explorer: info of EF.ARR' '*Linear fixed*records: *2*size: *32 bytes*' "$(explore 'info 2F06')"
check 'opensc-explorer: cat EF.ARR' '*Record 1:*80 01 01 90 00*Record 2:*A4 06 83 01 81*' "$(explore 'cat 2F06')"
check 'opensc-explorer: find' '*2F00*wEF *64*2F01*wEF *32*2F02*wEF*2F06*wEF *64*' "$(explore 'find 2F00 2F07')"
# OpenSC does not know how to list a directory of this kind of card; it must find the card alive afterwards.
check 'opensc-explorer: ls, then cat' '611B4F09*' "$(explore 'ls
cat 2F00' | dump)"

# ---- Files: use, by whoever may ----

out=$(explore "cd aid:$files_name
info
cd ..
cd 5200
update_binary 5201 2 AA:BB:CC
cat 5201")
check 'opensc-explorer: cd to a name, info' '*ID 5200*DF name: *CLIENT*' "$out"
check 'opensc-explorer: update_binary, cat' "0000AABBCC00*" "$(echo "$out" | dump)"
check 'opensc-explorer: info of records' '*ID 5202, SFI*Linear fixed*records: *4*size: *8 bytes*' \
    "$(explore 'cd 5200
info 5202')"
check 'opensc-explorer: append, update_record, cat' '0A0B' "$(explore 'cd 5200
info 5203
apdu 00 E2 00 18 03 01 02 03
update_record 5203 1 0 0A:0B
cat 5203 1' | dump)"
check 'opensc-explorer: cat of a record that is not there' '*Record not found*' "$(explore 'cd 5200
cat 5203 2')"

cat >"$dir/script" <<END
SELECT_by_name,_cut_at_the_right 00A4040006${files_name%5401}00 6F*8408${files_name}*9000
READ_BINARY,_odd 00B100010354010205 5303AABBCC9000
UPDATE_BINARY,_odd 00D7000108540104530311223300 *9000
READ_BINARY_by_SFI 00B0810206 AABB112233009000
SEARCH_BINARY 00A0810002223300 00059000
ERASE_BINARY 000E8103 9000
READ_BINARY_after_it 00B0810006 0000AA0000009000
READ_BINARY_at_the_end 00B0002001 6B00
READ_BINARY_behind_the_end 00B0002101 6B00
UPDATE_BINARY_over_the_end 00D6001F021122 6A84
UPDATE_RECORD 00DC0314080102030405060708 9000
WRITE_RECORD 00D2031408F000000000000000 9000
READ_RECORD 00B2031408 F1020304050607089000
SEARCH_RECORD 00A2011401F100 039000
SEARCH_RECORD,_nothing_found 00A2011401EE00 6282
ERASE_RECORD 000C0314 9000
READ_RECORD_that_is_not_there 00B2051400 6A83
APPEND_RECORD,_variable 00E2001805A1A2A3A4A5 9000
READ_RECORD,_all 00B2011D00 0A0BA1A2A3A4A59000
SEARCH_RECORD,_variable 00A2011C02A4A500 029000
APPEND_RECORD,_cyclic 00E200200400000001 9000
APPEND_RECORD,_cyclic,_again 00E200200400000002 9000
READ_RECORD,_the_newest 00B2012400 000000029000
SEARCH_RECORD,_cyclic 00A20124010100 029000
SELECT_BER-TLV 00A4020C025205 9000
PUT_DATA 00DA5F5103313233 9000
GET_DATA 00CA5F5100 3132339000
GET_DATA,_odd 00CB0000045C025F5100 5F51033132339000
GET_DATA_of_what_is_not_there 00CA5F5000 6A88
DEACTIVATE_FILE 00040200025201 9000
READ_BINARY_of_a_deactivated_file 00B0810000 6985
SELECT_warns 00A4020C025201 6283
ACTIVATE_FILE 00440200025201 9000
READ_BINARY_of_an_activated_file 00B0810003 0000AA9000
CREATE_FILE_where_all_may $(command3 00E00000 "$(fcp "82010183025210800200108C020100")") 9000
CREATE_FILE_that_is_there $(command3 00E00000 "$(fcp "82010183025210800200108C020100")") 6A89
DELETE_FILE_by_the_rule_of_its_DF 00E40200025210 9000
SELECT_the_deleted_file 00A4020C025210 6A82
SELECT_MF 00A4000C023F00 9000
CREATE_FILE_where_only_the_issuer_may $(command3 00E00000 "$(fcp "82010183022F10800200108C020100")") 6982
DELETE_FILE_that_only_the_issuer_may 00E40200022F00 6982
EF.DIR_is_still_there 00A4020C022F00 9000
END
session
# What it creates has no rule: everybody may read it, and nobody write it.
check 'opensc-explorer: create, info' '*ID 5211*16 bytes*Transparent*' "$(explore 'cd 5200
create 5211 16
info 5211')"
check 'opensc-explorer: cat of what it created' 00000000000000000000000000000000 "$(explore 'cd 5200
cat 5211' | dump)"
check 'opensc-explorer: create where only the issuer may' '*CREATE FILE failed: Security status not satisfied*' \
    "$(explore 'create 2F11 16')"
check 'opensc-explorer: rm where the rule allows' '*File not found*' "$(explore 'cd 5200
rm 5204
cat 5204')"
check 'opensc-explorer: rm where it does not' '*DELETE FILE failed: Security status not satisfied*' \
    "$(explore 'rm 2F00')"
check 'opensc-explorer: cd to an unknown name' '*unable to select DF: File not found*' \
    "$(explore 'cd aid:A000000099')"

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
