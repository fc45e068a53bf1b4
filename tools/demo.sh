#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The main job, shown: from two blank chips to a remote login, and what goes wrong on purpose. Works in a temporary
# folder. Exit 0 only if every step ended as it says: exit status and words are checked.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$top" && cd "${BUILD:-build/host}" 2>/dev/null && pwd) || { echo "demo: no folder ${BUILD:-build/host}" >&2; exit 2; }
twinctl=$build/twinctl twincard=$build/twincard hostile=$build/tests/card/test_hostile
for program in "$twinctl" "$twincard" "$hostile"; do
    [ -x "$program" ] || { echo "demo: $program is not built (make demo builds it)" >&2; exit 2; }
done

work=$(mktemp -d) || exit 2
card_pid=''
hostile_pid=''
clean_up() {
    [ -z "$card_pid" ] || kill "$card_pid" 2>/dev/null
    [ -z "$hostile_pid" ] || kill "$hostile_pid" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
began=$(date +%s)
pin=493817

fail() {
    echo "demo: FAILED: $*" >&2
    exit 1
}

heading() { printf '\n== %s\n' "$*"; }

# check STATUS WORDS ARGUMENTS...: twinctl must end with STATUS and say WORDS. What it said is in $said.
check() {
    status_wanted=$1 words=$2
    shift 2
    said=$("$twinctl" "$@" 2>&1)
    status=$?
    [ "$status" = "$status_wanted" ] || fail "twinctl $*: exit status $status, not $status_wanted: $said"
    printf '%s\n' "$said" | grep -q -e "$words" || fail "twinctl $*: does not say \"$words\": $said"
}

# The same, with what it said.
show() {
    check "$@"
    shift 2
    printf '$ twinctl %s\n' "$*"
    printf '%s\n' "$said" | sed 's/^/    /'
}

# start_card NAME OPTION VALUE: one in the background, when it listens. What it complains of is in card.log.
start_card() {
    "$twincard" "$1" --socket "$work/socket" "$2" "$3" >/dev/null 2>card.log &
    card_pid=$!
    wait_for=500
    while [ ! -S socket ] && [ "$wait_for" -gt 0 ]; do
        wait_for=$((wait_for - 1))
        sleep 0.01
    done
}

# broken_module CONTACT:KIND ARGUMENTS...: twinctl and the card "loose". What it said is in module.log.
broken_module() {
    start_card loose --fault "$1"
    shift
    "$twinctl" --socket socket --keys loose/keys "$@" >module.log 2>&1
    done_status=$?
    kill "$card_pid" 2>/dev/null
    wait "$card_pid" 2>/dev/null
    card_pid=
    rm -f socket
}

# power_cut N ARGUMENTS...: twinctl and a card whose power fails at its N-th write. Leaves in $cut_off whether there was
# one, in $done_status the exit status of twinctl.
power_cut() {
    start_card card --cut "$1"
    shift
    "$twinctl" --socket socket --keys card/keys "$@" >update.log 2>&1
    done_status=$?
    kill "$card_pid" 2>/dev/null
    wait "$card_pid"
    [ $? = 75 ] && cut_off=yes || cut_off=no
    card_pid=
    rm -f socket
}

# The last section takes the longest: it begins now.
(cd "$top" && exec "$hostile") >hostile.log 2>&1 &
hostile_pid=$!

heading 'Two blank chips become a card: six steps, each done by somebody else under keys of their own'
show 0 'is now  *FABRICATED$' fabricate card
show 0 'is now  *FABRICATED$' embed card
echo 'The module manufacturer tests the eight contacts and the link; a module whose C4 is loose stays behind:'
check 0 'is now  *FABRICATED$' fabricate loose
check 0 'is now  *FABRICATED$' embed loose
broken_module C4:open pack
[ "$done_status" = 1 ] || fail "a broken module was packed: $(cat module.log)"
sed 's/^/    /' module.log
grep -q 'contacts that do not work: C4;' module.log || fail 'what is wrong with the module was not said'
show 0 'is now  *PACKAGED$' --card card pack
show 0 'is now  *PRODUCED$' --card card produce
show 0 'is now  *INITIALIZED$' --card card initialize
show 0 'is now  *OPERATIONAL$' --card card personalize --pin "$pin"
echo 'No step can be taken twice or out of order:'
show 1 'out of order' --card card produce

heading 'Local access: the terminal asks, the holder enters the PIN, the card proves how far it may go'
echo 'Without the PIN, and with a wrong one:'
show 1 '6982' --card card local --system GATE-7
show 1 '63C2, wrong, 2 tries left' --card card local --system GATE-7 --pin 000000
echo 'With the right one the terminal checks the MAC over its own name, its random number, level and date:'
show 0 'access granted' --card card local --system GATE-7 --pin "$pin"
printf '%s\n' "$said" | grep -q 'level  *3$' || fail 'the level is not the one of the card'
proof=$(printf '%s\n' "$said" | sed -n 's/^ *proof *//p')
echo 'Somebody recorded that proof and plays it again:'
show 1 'does not fit this challenge' --card card local --system GATE-7 --replay "$proof"

heading 'Long-distance access: the host sends R, the card answers X, no password crosses the line'
check 0 'is now  *OPERATIONAL$' make other
echo '(a second card was made, of the same kind)'
show 0 'access granted' --card card remote
echo 'X is altered on the line:'
show 1 'R does not come back' --card card remote --alter
echo 'The second card answers in place of the first:'
show 1 'R does not come back' --card other --keys card/keys remote

heading 'The power fails while the issuer writes new holder data: at every single write, one after the other'
old=$("$twinctl" --card card holder --pin "$pin" | sed -n 's/^ *cardholder *//p')
cut=0 kept=0 renewed=0
while :; do
    cut=$((cut + 1))
    [ "$cut" -le 200 ] || fail 'the power was cut 200 times, and the update still did not end'
    new="HOLDER NUMBER $cut"
    power_cut "$cut" holder --name "$new"
    check 0 'holder data  *whole$' --card card holder --pin "$pin"
    now=$(printf '%s\n' "$said" | sed -n 's/^ *cardholder *//p')
    if [ "$cut_off" = no ]; then
        if [ "$done_status" != 0 ] || [ "$now" != "$new" ]; then
            fail "the update was not cut and did not work: $(cat update.log card.log)"
        fi
        break
    fi
    case $now in
    "$old") kept=$((kept + 1)) ;;
    "$new") renewed=$((renewed + 1)) ;;
    *) fail "after cut $cut the holder is $now, neither $old nor $new" ;;
    esac
    old=$now
done
cuts=$((cut - 1))
{ [ "$kept" -gt 0 ] && [ "$renewed" -gt 0 ]; } || fail "$cuts cuts, $kept old, $renewed new: that was no update in the middle"
echo "$cuts power cuts: the card was whole after each, $kept times with the old data, $renewed times with the new"
show 0 'access granted' --card card local --system GATE-7 --pin "$pin"

heading 'Files: everybody may read what is on the card; a folder that is deleted goes as a whole or stays as a whole'
show 0 '^611B4F09F05457494E434F5301500E.* 9000$' --card card apdu 00A4080C022F00 00B000001D
echo 'The issuer makes a folder in which everybody may do everything, with a file and a ring of records in it:'
mf=00A4000C023F00 all=8C087F00000000000000
set -- $mf "00E00000136211 820138 83025200 $all" \
    "00E00000176215 820101 8302520A 80020010 $all" '00D6000005 48454C4C4F' \
    "00E00000176215 82050621000803 8302520B $all" '00DC010408 5245434F52442031'
show 0 '^9000$' --card card apdu --issuer "$@"
look() { "$twinctl" --card card apdu 00A4080C025200 00B08A0005 00B2015C00 | tr '\n' ' '; }
whole='9000 48454C4C4F 9000 5245434F52442031 9000 ' gone='6A82 6A82 6A82 '
[ "$(look)" = "$whole" ] || fail "the folder reads as $(look)"
echo 'The power fails while it is deleted, at every fourth write:'
cut=1 kept=0 deleted=0
while :; do
    [ "$cut" -le 200 ] || fail 'the power was cut 200 times, and the folder is still there'
    power_cut "$cut" apdu $mf 00E40000025200
    now=$(look)
    [ "$cut_off" = yes ] || break
    case $now in
    "$whole") kept=$((kept + 1)) ;;
    "$gone")
        deleted=$((deleted + 1))
        check 0 '^9000$' --card card apdu --issuer "$@"
        ;;
    *) fail "after cut $cut the folder reads as $now, neither whole nor gone" ;;
    esac
    cut=$((cut + 4))
done
[ "$done_status$now" = "0$gone" ] || fail "the folder was not deleted: $now $(cat update.log card.log)"
{ [ "$kept" -gt 0 ] && [ "$deleted" -gt 0 ]; } || fail "$kept times whole, $deleted times gone: no cut in the middle"
echo "$((kept + deleted)) power cuts: $kept times the folder was there as a whole, $deleted times gone as a whole"
echo 'How often the pages of both chips were erased for all this, read from their memory:'
show 0 'of its endurance, permille 0$' wear card

heading 'A hostile application chip: it has been taken over and tries to get secrets out of the security chip'
wait "$hostile_pid" || {
    cat hostile.log >&2
    fail 'the hostile chip got something that it must not get'
}
hostile_pid=
grep -q '^# ' hostile.log || fail 'the hostile chip did not say what it tried'
sed -n 's/^# /    /p' hostile.log

printf '\ndemo: everything was as it says, in %s seconds\n' "$(($(date +%s) - began))"
