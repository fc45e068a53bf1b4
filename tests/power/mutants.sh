#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Tests the tests of the store: breaks a copy of the store in one place after the other and demands that the rig of torn
# power fails each time, or else one of the unit tests that damage, copy and wear. A mutant is a file, a piece of text
# that must stand in it exactly once, and what takes its place. Needs cmocka, as the tests do.
#
#   tests/power/mutants.sh [NAME...]    all mutants, or those named; CC and BUILD as for make
set -u
cd "$(dirname "$0")/../.." || exit 2
work=${BUILD:-build/host}/mutants

# All of them: in portions, as many at a time as there are processors.
if [ $# -eq 0 ]; then
    rm -rf "$work"
    mkdir -p "$work" || exit 2
    sed -n 's/^mutant \([a-z-]*\) .*/\1/p' tests/power/mutants.sh |
        xargs -P "$(nproc 2>/dev/null || echo 2)" -n 14 tests/power/mutants.sh >"$work/all" 2>&1
    status=$?
    grep -v '^mutants: ' "$work/all"
    awk '/^mutants: / { run += $2; survived += $4 } END { print "mutants: " run " run, " survived " survived" }' "$work/all"
    exit $status
fi
work=$work/$$
flags="-std=c11 -O1 -Iinclude -Isrc -Itests/support -D_GNU_SOURCE"
units="test_store_copy test_store_damage test_store_start test_store_wear"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/rig" "$work/fs" || exit 2

# What stays the same is built once. The rig of torn power has a CRC of its own, faster than the core's.
for source in tests/power/test_store_power.c tests/support/store_*.c tests/support/sim_*.c src/base/crc32.c src/base/idle.c \
    src/base/writer.c $(printf 'tests/unit/%s.c ' $units); do
    # shellcheck disable=SC2086
    ${CC:-gcc} $flags -O2 -c -o "$work/rig/$(basename "$source" .c).o" "$source" || exit 2
done
ar rcs "$work/rig/rig.a" "$work"/rig/store_*.o "$work"/rig/sim_*.o "$work/rig/crc32.o" "$work/rig/idle.o" "$work/rig/writer.o" || exit 2

# build TEST: with the store's copy.
build() {
    for source in "$work"/fs/*.c; do
        # shellcheck disable=SC2086
        cmp -s "$source" "$source.built" || {
            ${CC:-gcc} $flags -I"$work/fs" -c -o "${source%.c}.o" "$source" && cp "$source" "$source.built"
        } || return 1
    done
    ${CC:-gcc} -o "$work/test" "$work/rig/$1.o" "$work"/fs/*.o "$work/rig/rig.a" -lcmocka
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

# mutant NAME FILE OLD NEW [TEST]: TEST must fail: the rig of torn power up to its first failure, one test of the rig, or
# a unit test. A mutant that hangs uses up its processor time, which is not what it takes on a busy machine.
mutant() {
    case $wanted in *" $1 "*) ;; *) return ;; esac
    run=$((run + 1))
    for part in map mount page store; do
        cp "src/fs/$part.c" "src/fs/$part.h" "$work/fs/" 2>/dev/null
    done
    replace "$work/fs/$2" "$3" "$4" || { echo "mutant $1 does not fit src/fs/$2"; exit 2; }
    case ${5:-} in
        test_*) test=$5 arguments= ;;
        '') test=test_store_power arguments=--first ;;
        *) test=test_store_power arguments="--only $5" ;;
    esac
    build $test || { echo "mutant $1 does not compile"; exit 2; }
    if (ulimit -t 120 && "$work/test" $arguments >"$work/out" 2>&1); then
        echo "SURVIVED $1"
        survived="$survived $1"
    else
        echo "killed   $1: $(grep -m1 -E 'FAILED:|contract|: error:|ERROR' "$work/out" || echo 'ended by a signal')"
    fi
}

mutant no-verdict mount.c \
    'enum cos_result result = settle_doubt(store, &newest);' \
    'enum cos_result result = read_only(store, &newest);
     store->worn_out = false; store->next = cos_map_next_free(store, newest.last); (void)settle_doubt;'
mutant half-a-transaction mount.c \
    'newest->complete = size != 0 && good_count == size;' \
    'newest->complete = good_count > 0;'
mutant payload-unchecked mount.c \
    'COS_TRY(cos_page_check_payload(store, page, header.logical, &good)); uint8_t bit' \
    'good = true; uint8_t bit'
mutant live-payload-unchecked mount.c \
    'COS_TRY(cos_page_check_payload(store, page, logical, &good)); COS_CHECK(good, COS_E_STORE_DAMAGED);' \
    '(void)good;' test_store_damage
mutant digest-ignored mount.c \
    'COS_CHECK(digest == newest->header.digest, COS_E_STORE_DAMAGED);' \
    '' test_store_damage
mutant older-page-wins mount.c \
    '*wins = header->sequence > rival_header.sequence;' \
    '*wins = true;'
mutant torn-not-erased mount.c \
    'if (header.sequence != 0 && header.sequence == newest->sequence) { COS_TRY(cos_page_erase(store, page)); }' \
    ''
mutant pages-behind-trusted mount.c \
    'COS_TRY(cos_page_erase(store, cos_map_next_free(store, behind))); COS_TRY(cos_page_erase(store, behind));' \
    '(void)behind;'
mutant second-page-behind-trusted mount.c \
    'COS_TRY(cos_page_erase(store, cos_map_next_free(store, behind)));' \
    '' recoveries_of_recoveries
mutant page-behind-trusted mount.c \
    'COS_TRY(cos_page_erase(store, behind));' \
    ''
mutant first-transaction-trusted mount.c \
    'newest.last = (uint16_t)(config->pages - 1); COS_TRY(erase_torn(store, &newest));' \
    '' test_store_start
mutant copy-trusted mount.c \
    'COS_TRY(partner_is_good(store, newest, &stale_copy));' \
    '' recoveries_of_recoveries
mutant partner-payload-unchecked mount.c \
    'return cos_page_check_payload(store, partner, header.logical, good);' \
    '*good = true; return COS_OK;' test_store_start
mutant marks-outlive-copy mount.c \
    'COS_TRY(cos_page_erase(store, newest->header.slots[2]));' \
    '' recoveries_of_recoveries
mutant second-mark-outlives-copy mount.c \
    'COS_TRY(erase_second(store, newest->header.slots[3]));' \
    '' recoveries_of_recoveries
mutant copy-over-superseded mount.c \
    'COS_TRY(build_map(store, newest->sequence - 1)); slots[0] = newest->last;' \
    'slots[0] = newest->last;'
mutant copy-wanders mount.c \
    'if (is_refresh(&newest->header)) { /*' \
    'if (false) { /*' test_store_start
mutant behind-copy-trusted mount.c \
    'COS_TRY(perhaps_usable_after(store, newest, newest->header.slots[2], true, &behind));' \
    '(void)behind;' test_store_start
mutant copy-without-mark mount.c \
    'COS_TRY(cos_page_write_mark(store, mark, PAGE_MARK_SETTLED));' \
    ''
mutant mark-before-copy mount.c \
    'COS_TRY(cos_page_erase(store, mark)); COS_TRY(cos_page_write(store, target, &header, &source));' \
    'COS_TRY(cos_page_erase(store, mark)); store->newest = header.sequence; COS_TRY(cos_page_write_mark(store, mark, PAGE_MARK_SETTLED)); COS_TRY(cos_page_write(store, target, &header, &source)); COS_TRY(cos_page_erase(store, mark));'
mutant partner-retired-before-mark mount.c \
    'COS_TRY(cos_page_write_mark(store, mark, PAGE_MARK_SETTLED)); COS_TRY(retire_partner(store, newest->last, PAGE_NONE));' \
    'COS_TRY(retire_partner(store, newest->last, PAGE_NONE)); COS_TRY(cos_page_write_mark(store, mark, PAGE_MARK_SETTLED));'
mutant partner-not-retired mount.c \
    'COS_TRY(retire_partner(store, newest->last, PAGE_NONE));' \
    ''
mutant partner-stays mount.c \
    'return cos_page_write_mark(store, partner, PAGE_MARK_RETIRED);' \
    'return COS_OK;' recoveries_of_recoveries
mutant note-before-erase mount.c \
    'if (cos_page_erase(store, partner) != COS_OK) { return COS_OK; /* lost power, or worn: it cannot even take the note */ }' \
    '' recoveries_of_recoveries
mutant retirement-not-asked-for mount.c \
    'if (mark != newest->sequence) { COS_TRY(resume_refresh' \
    'if (false) { COS_TRY(resume_refresh'
mutant mark-trusted mount.c \
    'missing = slots[3];' \
    '' recoveries_of_recoveries
mutant no-second-mark mount.c \
    'if (slots[3] == slots[1] || slots[3] == slots[2]) {' \
    'if (true) {' recoveries_of_recoveries
mutant number-used-twice mount.c \
    'header.sequence = newest->sequence + 1;' \
    'header.sequence = newest->sequence;'
mutant mark-of-any-page mount.c \
    'newest->mark = mark;' \
    'newest->mark = newest->sequence;'
mutant mark-crc-ignored page.c \
    'if (memcmp(bytes, expected, sizeof bytes) != 0) {' \
    'if (memcmp(bytes, expected, 4) != 0) {' test_store_damage
mutant mark-kind-ignored page.c \
    'uint8_t place[3] = {(uint8_t)kind};' \
    'uint8_t place[3] = {(uint8_t)(kind & 0)};' test_store_damage
mutant mark-place-ignored page.c \
    'cos_put16(place + 1, page);' \
    '' test_store_start
mutant half-a-mark page.c \
    'return program_at(store, page, 0, bytes, store->header_at);' \
    'return program_at(store, page, 0, bytes, store->nvm->geometry.tear_unit < store->header_at ? store->nvm->geometry.tear_unit : store->header_at);'
mutant never-marked store.c \
    '(void)cos_page_write_mark(store, store->next, PAGE_MARK_SETTLED);' \
    ''
mutant mark-without-blank store.c \
    'if (blank || cos_page_erase(store, store->next) == COS_OK) {' \
    'if (true) {'
mutant marked-in-place store.c \
    'COS_TRY(write_settle_mark(store)); store->settled = true;' \
    'store->next = store->newest_page; COS_TRY(write_settle_mark(store)); store->settled = true;'
mutant marked-before-commit store.c \
    'enum cos_result result = write_pages(store, &source, &turn);' \
    'store->newest++; (void)cos_page_erase(store, store->next); (void)cos_page_write_mark(store, store->next, PAGE_MARK_SETTLED); store->newest--; enum cos_result result = write_pages(store, &source, &turn);'
mutant header-unchecked page.c \
    'COS_CHECK(cos_get32(bytes + 24) == header_crc(bytes), COS_E_STORE_DAMAGED);' \
    'COS_CHECK((bytes[0] & ~PAGE_SCRUB) == COS_NVM_FORMAT, COS_E_STORE_DAMAGED);' test_store_damage
mutant payload-of-any-page page.c \
    'cos_put16(bytes, logical); return cos_crc32(0, bytes, sizeof bytes);' \
    'cos_put16(bytes, logical & 0); return cos_crc32(0, bytes, sizeof bytes);' test_store_start
mutant old-payload-unchecked page.c \
    'COS_CHECK(cos_get32(crc) == old_crc, COS_E_STORE_DAMAGED);' \
    '' test_store_copy
mutant copy-source-unchecked store.c \
    'COS_TRY(check_range(store, edits[i].from, edits[i].length));' \
    'COS_INVARIANT(inside(store, edits[i].from, edits[i].length)); (void)check_range;' test_store_copy
mutant later-edit-loses page.c \
    'for (size_t i = 0; i < stream->source->count; i++) {' \
    'for (size_t i = stream->source->count; i-- > 0;) {' test_store_copy
mutant page-not-erased page.c \
    'encode_header(header, bytes); return cos_page_erase(store, page);' \
    'encode_header(header, bytes); return store->newest == 0 ? cos_page_erase(store, page) : COS_OK;'
mutant size-on-first-page store.c \
    '.size = (uint8_t)(following == PAGE_NONE ? place + 1 : 0),' \
    '.size = (uint8_t)(place == 0 ? 1 : 0),'
mutant live-page-taken map.c \
    'store->config.map[logical] = page; change_use(store, page);' \
    'store->config.map[logical] = page;'
mutant no-scrub-at-start mount.c \
    'store->settled = true; return cos_store_scrub(store);' \
    'store->settled = true; return COS_OK;'
mutant no-scrub-at-settle store.c \
    'if (store->scrub) { COS_TRY(cos_store_scrub(store)); }' \
    ''
mutant scrub-not-asked store.c \
    '*holds = live.scrub || header.logical >= store->config.scrub_from;' \
    '*holds = header.logical >= store->config.scrub_from; (void)live;'
mutant scrub-not-inherited store.c \
    'header->scrub = header->scrub || (store->scrub && before.scrub);' \
    ''
mutant scrub-not-kept page.c \
    'header->scrub = (bytes[0] & PAGE_SCRUB) != 0;' \
    'header->scrub = false;'
mutant wear-not-levelled store.c 'if (cold.erases + COS_STORE_LEVEL >= newest.erases) {' \
    'if (true) {' test_store_wear
mutant levelling-begins-anew store.c '(uint16_t)((store->newest + store->newest / store->config.pages) % store->config.pages)' \
    '(uint16_t)(store->config.pages / 2)' test_store_wear
mutant count-forgotten page.c '*erases = before.erases + 1;' \
    '*erases = 1;' test_store_wear
mutant written-page-not-read-back page.c 'return good ? COS_OK : COS_E_MEMORY_FAILURE;' \
    'return good ? COS_OK : COS_OK;' test_store_wear
mutant no-second-try store.c 'while (result == COS_E_MEMORY_FAILURE && turn->left > 0) {' \
    'while (result == COS_E_MEMORY_FAILURE && turn->left == store->config.reserve) {' test_store_wear

echo "mutants: $run run, $(echo "$survived" | wc -w) survived"
[ "$run" -gt 0 ] && [ -z "$survived" ]
