#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Tests the rig of the store: breaks a copy of the store in one place after the other and demands
# that tests/power/test_store_power.c fails each time. A mutant is a file, a piece of text that
# must stand in it exactly once, and what takes its place. Needs cmocka, as the tests do.
#
#   tests/power/mutants.sh [NAME...]    all mutants, or those named; CC and BUILD as for make
set -u
cd "$(dirname "$0")/../.." || exit 2
work=${BUILD:-build/host}/mutants
flags="-std=c11 -O2 -Iinclude -Isrc -Itests/support -D_GNU_SOURCE"
rm -rf "$work"
mkdir -p "$work/rig" "$work/fs" || exit 2

for source in tests/power/test_store_power.c tests/support/store_rig.c tests/support/sim_nvm.c \
    tests/support/sim_tear.c src/base/*.c; do
    # shellcheck disable=SC2086
    ${CC:-gcc} $flags -c -o "$work/rig/$(basename "$source" .c).o" "$source" || exit 2
done

# build DIR: the rig with the store in src/fs, or its copy in DIR.
build() {
    # shellcheck disable=SC2086
    ${CC:-gcc} $flags -I"$1" -o "$work/test" "$1/store.c" "$1/mount.c" "$1/page.c" "$1/map.c" \
        "$work"/rig/*.o -lcmocka
}

# replace FILE OLD NEW: literally, exactly once, over line ends; runs of white space count as one.
replace() {
    OLD=$2 NEW=$3 awk '
        { text = text $0 "\n" }
        END {
            old = ENVIRON["OLD"]; new = ENVIRON["NEW"]
            gsub(/[ \t\n]+/, " ", old)
            flat = ""; pending = 0
            for (i = 1; i <= length(text); i++) {
                c = substr(text, i, 1)
                if (c == " " || c == "\t" || c == "\n") {
                    if (!pending) { flat = flat " "; at[length(flat)] = i; pending = 1 }
                } else { flat = flat c; at[length(flat)] = i; pending = 0 }
            }
            first = index(flat, old)
            if (first == 0 || index(substr(flat, first + 1), old) != 0) exit 1
            printf "%s%s%s", substr(text, 1, at[first] - 1), new, \
                substr(text, at[first + length(old) - 1] + 1)
        }' "$1" >"$1.new" && ! cmp -s "$1" "$1.new" && mv "$1.new" "$1"
}

run=0 survived=
wanted=" $* "

# mutant NAME FILE OLD NEW
mutant() {
    [ "$wanted" = "  " ] || case $wanted in *" $1 "*) ;; *) return ;; esac
    run=$((run + 1))
    cp src/fs/*.[ch] "$work/fs/"
    replace "$work/fs/$2" "$3" "$4" || { echo "mutant $1 does not fit src/fs/$2"; exit 2; }
    build "$work/fs" || { echo "mutant $1 does not compile"; exit 2; }
    if timeout 100 "$work/test" --first >"$work/out" 2>&1; then
        echo "SURVIVED $1"
        survived="$survived $1"
    else
        echo "killed   $1: $(grep -m1 -E 'FAILED:|contract' "$work/out" || echo 'ended by a signal')"
    fi
}

mutant no-verdict mount.c 'enum cos_result result = settle_doubt(store, &newest);' \
    'enum cos_result result = read_only(store, &newest);
     store->worn_out = false; store->next = cos_map_next_free(store, newest.last); (void)settle_doubt;'
mutant half-a-transaction mount.c 'newest->complete = size != 0 && good_count == size;' \
    'newest->complete = good_count > 0;'
mutant payload-unchecked mount.c \
    'COS_TRY(cos_page_check_payload(store, page, header.logical, &good)); uint8_t bit' \
    'good = true; uint8_t bit'
mutant pages-behind-trusted mount.c \
    'COS_TRY(cos_page_erase(store, cos_map_next_free(store, behind))); COS_TRY(cos_page_erase(store, behind));' \
    '(void)behind;'
mutant copy-trusted mount.c 'COS_TRY(partner_is_good(store, newest, &stale_copy));' ''
mutant marks-outlive-copy mount.c 'COS_TRY(cos_page_erase(store, newest->header.slots[2]));' ''
mutant copy-over-superseded mount.c \
    'COS_TRY(build_map(store, newest->sequence - 1)); slots[0] = newest->last;' \
    'slots[0] = newest->last;'
mutant torn-not-erased mount.c 'header.place == place) { COS_TRY(cos_page_erase(store, page)); }' \
    'header.place == place) { }'
mutant partner-stays mount.c 'return cos_page_write_mark(store, partner, PAGE_MARK_RETIRED, store->newest);' \
    'return COS_OK;'
mutant no-scrub-at-start mount.c 'store->settled = true; return cos_store_scrub(store);' \
    'store->settled = true; return COS_OK;'
mutant mark-of-any-page mount.c 'newest->mark = mark;' 'newest->mark = newest->sequence;'
mutant never-marked store.c '(void)cos_page_write_mark(store, store->next, PAGE_MARK_SETTLED, store->newest);' ''
mutant mark-without-blank store.c 'if (blank || cos_page_erase(store, store->next) == COS_OK) {' \
    'if (true) {'
mutant later-edit-loses page.c 'for (size_t i = stream->source->count; i-- > 0;) {' \
    'for (size_t i = 0; i < stream->source->count; i++) {'

echo "mutants: $run run, $(echo "$survived" | wc -w) survived"
[ "$run" -gt 0 ] && [ -z "$survived" ]
