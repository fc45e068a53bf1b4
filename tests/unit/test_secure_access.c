/* SPDX-License-Identifier: Apache-2.0
 *
 * ACCESS of the security chip: what each security condition data object asks for, against each
 * security status; and that nothing malformed and no fault grants anything.
 */
#include "fs_rig.h"
#include "rule_model.h"
#include "secure_domain/domain.h"
#include "sim_nvm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A security status. PIN and key numbers are bits. */
struct status {
    uint16_t pins_global, pins_local, keys_global, keys_local;
    uint8_t level, key_version; /* of the session that the command came through; 0 = none */
};

/* A chip without any object, in an application, that has this status. */
static void make(struct cos_secure *secure, const struct status *status)
{
    memset(secure, 0, sizeof *secure);
    secure->channels[0] = (struct cos_channel){
        .application = 1,
        .pins_global = status->pins_global,
        .pins_local = status->pins_local,
        .keys_global = status->keys_global,
        .keys_local = status->keys_local,
    };
    secure->sessions[0].open = COS_NO;
    if (status->level != 0) {
        secure->in_sm = true;
        secure->sessions[0].protocol = COS_SM_SCP03;
        secure->sessions[0].open = COS_YES;
        secure->sessions[0].level = status->level;
        secure->sessions[0].key = status->key_version;
    }
}

static enum cos_result call(struct cos_secure *secure, const uint8_t *request, size_t length,
                            cos_truth *answer)
{
    struct cos_reader reader = cos_reader(request, length);
    uint8_t body[4] = {0};
    struct cos_writer writer = cos_writer(body, sizeof body);
    const enum cos_result result = cos_call_access(secure, &reader, &writer);

    assert_false(writer.failed);
    assert_int_equal(writer.length, result == COS_OK ? 4 : 0);
    *answer = cos_get32(body);
    assert_true(result != COS_OK || *answer == COS_YES || *answer == COS_NO);
    return result;
}

static bool is_granted(struct cos_secure *secure, const char *condition)
{
    uint8_t request[1 + COS_RULE_MAX] = {0};
    const size_t length = fs_rig_hex(condition, request + 1, COS_RULE_MAX);
    cos_truth answer;

    assert_int_equal(call(secure, request, 1 + length, &answer), COS_OK);
    return answer == COS_YES;
}

struct row {
    const char *condition;
    struct status status;
    bool granted;
};

static void check(const struct row *rows, size_t count)
{
    struct cos_secure *secure = malloc(sizeof *secure);

    for (size_t i = 0; i < count; i++) {
        make(secure, &rows[i].status);
        if (is_granted(secure, rows[i].condition) != rows[i].granted) {
            fail_msg("row %zu: %s is %sgranted", i, rows[i].condition,
                     rows[i].granted ? "not " : "");
        }
    }
    free(secure);
}

#define NOBODY                                                                                     \
    {                                                                                              \
        0                                                                                          \
    }
#define EVERYBODY                                                                                  \
    {                                                                                              \
        .pins_global = 0xFFFF, .pins_local = 0xFFFF, .keys_global = 0xFFFF, .keys_local = 0xFFFF,  \
        .level = 0x03, .key_version = 0x01                                                         \
    }

static void references_name_pins_and_keys(void **state)
{
    static const struct row rows[] = {
        {"A4 03 83 01 81", {.pins_local = 0x0002}, true},
        {"A4 03 83 01 81", {.keys_local = 0x0002}, true},
        {"A4 03 83 01 81", {.pins_global = 0xFFFF, .keys_global = 0xFFFF}, false},
        {"A4 03 83 01 81", {.pins_local = 0xFFFD, .keys_local = 0xFFFD}, false},
        {"A4 03 83 01 01", {.pins_global = 0x0002}, true},
        {"A4 03 83 01 01", {.keys_global = 0x0002}, true},
        {"A4 03 83 01 01", {.pins_local = 0xFFFF, .keys_local = 0xFFFF}, false},
        {"A4 06 83 01 82 95 01 08", {.pins_local = 0x0004}, true},
        {"A4 06 83 01 82 95 01 08", {.keys_local = 0xFFFF}, false},
        {"A4 06 83 01 82 95 01 80", {.keys_local = 0x0004}, true},
        {"A4 06 83 01 82 95 01 80", {.pins_local = 0xFFFF}, false},
        {"A4 06 95 01 88 83 01 82", {.pins_local = 0x0004}, true},
        {"A4 06 95 01 88 83 01 82", {.keys_local = 0x0004}, true},
        {"A4 06 83 01 0F 95 01 80", {.keys_global = 0x8000}, true},
        {"A4 06 83 01 8F 95 01 08", {.pins_local = 0x8000}, true},
        /* Biometry and what else this card does not have. */
        {"A4 06 83 01 81 95 01 04", EVERYBODY, false},
        {"A4 06 83 01 81 95 01 00", EVERYBODY, false},
        {"A4 06 83 01 81 95 01 40", EVERYBODY, false},
        {"A7 08 A4 06 83 01 81 95 01 04", NOBODY, true},
        /* No such reference: not even its negation holds. */
        {"A4 03 83 01 00", EVERYBODY, false},
        {"A4 03 83 01 80", EVERYBODY, false},
        {"A4 03 83 01 10", EVERYBODY, false},
        {"A4 03 83 01 90", EVERYBODY, false},
        {"A4 03 83 01 21", EVERYBODY, false},
        {"A4 03 83 01 C1", EVERYBODY, false},
        {"A7 05 A4 03 83 01 80", NOBODY, false},
        {"A7 05 A4 03 83 01 10", NOBODY, false},
        {"A7 05 A4 03 83 01 E1", NOBODY, false},
        {"A7 05 A4 03 83 01 81", NOBODY, true},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void secure_messaging_has_levels(void **state)
{
    static const struct row rows[] = {
        {"B4 03 83 01 01", {.level = 0x01, .key_version = 0x01}, true},
        {"B4 03 83 01 01", {.level = 0x03, .key_version = 0x01}, true},
        {"B4 03 83 01 01", {.level = 0x03, .key_version = 0x02}, false},
        {"B4 03 83 01 01", NOBODY, false},
        {"B4 03 83 01 00", {.level = 0x01, .key_version = 0x30}, true}, /* any version */
        {"B4 03 95 01 10", {.level = 0x01, .key_version = 0x30}, true},
        {"B4 06 95 01 10 83 01 30", {.level = 0x01, .key_version = 0x30}, true},
        {"B8 03 95 01 10", {.level = 0x01, .key_version = 0x01}, false},
        {"B8 03 95 01 10", {.level = 0x03, .key_version = 0x01}, true},
        {"B8 03 83 01 01", {.level = 0x03, .key_version = 0x01}, true},
        {"B8 03 83 01 02", {.level = 0x03, .key_version = 0x01}, false},
        /* Responses: the levels that this card has protect none. */
        {"B4 03 95 01 20", {.level = 0x03, .key_version = 0x01}, false},
        {"B4 03 95 01 30", {.level = 0x03, .key_version = 0x01}, false},
        {"B8 03 95 01 20", {.level = 0x03, .key_version = 0x01}, false},
        {"B8 03 95 01 30", {.level = 0x03, .key_version = 0x01}, false},
        {"B4 03 95 01 30", {.level = 0x13, .key_version = 0x01}, true},
        {"B8 03 95 01 30", {.level = 0x13, .key_version = 0x01}, false},
        {"B8 03 95 01 30", {.level = 0x33, .key_version = 0x01}, true},
        {"B4 03 95 01 00", {.level = 0x33, .key_version = 0x01}, false}, /* asks for nothing */
        {"B8 03 95 01 80", {.level = 0x33, .key_version = 0x01}, false},
        {"B6 03 95 01 10", EVERYBODY, false}, /* signatures */
        {"B6 06 83 01 01 95 01 10", EVERYBODY, false},
        {"9E 01 C0", {.level = 0x01, .key_version = 0x01}, true},
        {"9E 01 C0", NOBODY, false},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void templates_combine(void **state)
{
    static const struct row rows[] = {
        {"90 00", NOBODY, true},
        {"97 00", EVERYBODY, false},
        {"9E 01 00", NOBODY, true},
        {"9E 01 FF", EVERYBODY, false},
        {"9E 01 91", {.pins_local = 0x0002}, true},
        {"9E 01 A1", {.pins_local = 0x0002}, false},
        {"9E 01 A1 9E 01 91", {.pins_local = 0x0002}, true},
        {"97 00 9E 01 92", {.pins_local = 0x0002}, false},
        {"AF 06 9E 01 91 9E 01 A1", {.pins_local = 0x0002}, false},
        {"AF 06 9E 01 91 9E 01 A1", {.pins_local = 0x0002, .keys_local = 0x0002}, true},
        {"A0 06 9E 01 91 9E 01 A1", {.keys_local = 0x0002}, true},
        {"A7 03 9E 01 91", {.pins_local = 0x0002}, false},
        {"A7 03 9E 01 91", {.keys_local = 0x0002}, true},
        {"AF 0A A7 03 9E 01 91 B4 03 95 01 10", {.level = 0x01}, true},
        {"AF 0A A7 03 9E 01 91 B4 03 95 01 10", {.level = 0x01, .pins_local = 0x0002}, false},
        {"97 00 AF 08 9E 01 91 B8 03 83 01 01",
         {.pins_local = 0x0002, .level = 0x03, .key_version = 0x01},
         true},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void malformed_requests_grant_nothing(void **state)
{
    static const char *const conditions[] = {
        "90",          "91 00",          "9E 01 0F",       "9E 01 80",
        "90 00 9E 01", "A7 00",          "A7 01 90",       "A7 02 9E 00",
        "00",          "FF FF FF FF",    "90 01 00",       "A0 04 90 00 00 90",
        "00 90 00",    "90 00 91 01 00", "A4 03 95 01 08", "B4 00",
        "A7 02 B4 00",
    };
    static const uint8_t no_channel[] = {COS_CHANNELS, 0x90, 0x00};
    static const struct status everybody = EVERYBODY;
    struct cos_secure *secure = malloc(sizeof *secure);
    cos_truth answer;

    (void)state;
    make(secure, &everybody);
    for (size_t i = 0; i < COUNT(conditions); i++) {
        assert_false(is_granted(secure, conditions[i]));
    }
    assert_false(is_granted(secure, ""));
    assert_int_equal(call(secure, no_channel, sizeof no_channel, &answer), COS_E_GATE_FORMAT);
    assert_int_equal(call(secure, no_channel, 0, &answer), COS_E_GATE_FORMAT);
    free(secure);
}

/* Number 0 has to look into the objects: if they cannot be read, nothing holds, "none of" neither.
 */
static void faults_grant_nothing(void **state)
{
    static const char *const conditions[] = {
        "9E 01 90",       "A7 03 9E 01 90", "A7 03 9E 01 A0",
        "90 00 9E 01 90", "A7 03 9E 01 30", "A0 07 90 00 A7 03 9E 01 50",
    };
    static const struct status everybody = EVERYBODY, nobody = NOBODY;
    struct cos_secure *secure = malloc(sizeof *secure);

    (void)state;
    for (size_t i = 0; i < COUNT(conditions); i++) {
        make(secure, &nobody);
        const bool without_fault = is_granted(secure, conditions[i]);
        assert_true(without_fault == (i > 0));
        for (unsigned k = 0; k < 2; k++) {
            make(secure, k == 0 ? &nobody : &everybody);
            secure->config.objects = 1; /* but a store without any page */
            secure->store.payload = 216;
            assert_false(is_granted(secure, conditions[i]));
        }
    }
    free(secure);
}

/* Random bytes: what the chip grants to nobody, nobody needs. */
static void random_requests_grant_nobody_more_than_always(void **state)
{
    static const struct status nobody = NOBODY;
    struct cos_secure *secure = malloc(sizeof *secure);
    uint64_t seed = 11;
    unsigned granted = 0;

    (void)state;
    make(secure, &nobody);
    for (unsigned i = 0; i < 200000; i++) {
        static const struct rule_oracle oracle = {.seed = 1};
        uint8_t request[1 + COS_RULE_MAX] = {0};
        const size_t length = sim_below(&seed, i % 2 == 0 ? 10 : COS_RULE_MAX);
        cos_truth answer;
        rule_scatter(&seed, request + 1, length);
        assert_int_equal(call(secure, request, 1 + length, &answer), COS_OK);
        if (answer == COS_YES) {
            assert_true(rule_model(&oracle, request + 1, length).good);
            assert_true(memchr(request + 1, 0x90, length) != NULL ||
                        memchr(request + 1, 0xA7, length) != NULL ||
                        memchr(request + 1, 0x00, length) != NULL);
            granted++;
        }
    }
    assert_true(granted > 20);
    free(secure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_name_pins_and_keys),
        cmocka_unit_test(secure_messaging_has_levels),
        cmocka_unit_test(templates_combine),
        cmocka_unit_test(malformed_requests_grant_nothing),
        cmocka_unit_test(faults_grant_nothing),
        cmocka_unit_test(random_requests_grant_nobody_more_than_always),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
