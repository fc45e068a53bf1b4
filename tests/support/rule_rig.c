/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_rig.h"

#include "fs_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum cos_result rule_check(rule_checker checks, const uint8_t *rule, size_t length)
{
    uint8_t *exact = malloc(length + (length == 0));
    memcpy(exact, rule, length);
    const enum cos_result result = checks((struct cos_span){exact, length});

    free(exact);
    return result;
}

enum cos_result rule_read(rule_reader reads, const uint8_t *rule, size_t length,
                          const struct cos_access *access, uint8_t condition[COS_RULE_MAX],
                          size_t *written)
{
    uint8_t *exact = malloc(length + (length == 0)), room[1 + COS_RULE_MAX] = {0x77};
    struct cos_writer writer = cos_writer(room, sizeof room);

    memcpy(exact, rule, length);
    writer.length = 1;
    const enum cos_result result = reads((struct cos_span){exact, length}, access, &writer);
    free(exact);
    assert_false(writer.failed);
    assert_int_equal(room[0], 0x77);
    assert_true(result == COS_OK || writer.length == 1);
    *written = writer.length - 1;
    memcpy(condition, room + 1, *written);
    return result;
}

void rule_means(rule_reader reads, const char *rule, const struct cos_access *access,
                const char *wanted)
{
    uint8_t bytes[RULE_BYTES], condition[COS_RULE_MAX], expected[COS_RULE_MAX];
    size_t written;

    const size_t length = fs_rig_hex(rule, bytes, sizeof bytes);
    const size_t count = fs_rig_hex(wanted, expected, sizeof expected);
    assert_int_equal(rule_read(reads, bytes, length, access, condition, &written), COS_OK);
    assert_int_equal(written, count);
    assert_memory_equal(condition, expected, count);
}

void rule_is_refused(rule_checker checks, rule_reader reads, const char *rule)
{
    uint8_t bytes[RULE_BYTES], condition[COS_RULE_MAX];
    const size_t length = fs_rig_hex(rule, bytes, sizeof bytes);
    size_t written;

    assert_int_equal(rule_check(checks, bytes, length), COS_E_DATA);
    for (unsigned operation = 0x01; operation <= 0x40; operation <<= 1) {
        const struct cos_access access = {.operation = operation, .object = 0x53};
        assert_int_equal(rule_read(reads, bytes, length, &access, condition, &written), COS_E_DATA);
    }
}
