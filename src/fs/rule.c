/* SPDX-License-Identifier: Apache-2.0
 *
 * Access rules in the compact format, ISO/IEC 7816-4:2013, 9.3.3: sets of an access mode byte and
 * one security condition byte for each of its bits, from b7 down to b1.
 */
#include "file.h"

enum {
    AM_PROPRIETARY = 0x80, /* b8: b7 to b4 have a meaning of their own */
    AM_FIRST = 0x40,
    SC_CONDITIONS = 0x70, /* b7 to b5: secure messaging, external and user authentication */
    SC_ENVIRONMENT = 0x0F,
    SC_ENVIRONMENT_RFU = 0x0F,
};

/* A byte that asks for nothing but is not 00 has no meaning in table 20, and "all of nothing" would
 * be true: it is refused like security environment 15. */
static bool is_condition(uint8_t sc)
{
    if (sc == COS_SC_ALWAYS || sc == COS_SC_NEVER) {
        return true;
    }
    return (sc & SC_CONDITIONS) != 0 && (sc & SC_ENVIRONMENT) != SC_ENVIRONMENT_RFU;
}

enum cos_result cos_rule_compact(struct cos_span rule, enum cos_operation operation,
                                 uint8_t conditions[COS_RULE_MAX], size_t *count)
{
    struct cos_reader reader = cos_reader(rule.data, rule.length);
    uint8_t found[COS_RULE_MAX];
    size_t sets = 0, matches = 0;

    do {
        const unsigned am = cos_read8(&reader); /* 0, which is refused, at the end */
        COS_CHECK(am != 0 && am < AM_PROPRIETARY && sets < COS_RULE_MAX, COS_E_DATA);
        for (unsigned bit = AM_FIRST; bit > 0; bit >>= 1) {
            if ((am & bit) == 0) {
                continue;
            }
            const uint8_t sc = cos_read8(&reader);
            COS_CHECK(!reader.failed && is_condition(sc), COS_E_DATA);
            if (bit == (unsigned)operation) {
                found[matches++] = sc;
            }
        }
        sets++;
    } while (reader.length > 0);
    if (matches == 0) {
        found[matches++] = COS_SC_NEVER;
    }
    memcpy(conditions, found, matches);
    *count = matches;
    return COS_OK;
}

enum cos_result cos_fs_rule(const struct cos_fs *fs, const struct cos_file_info *info,
                            enum cos_operation operation, uint8_t conditions[COS_RULE_MAX],
                            size_t *count)
{
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_span rule;
    enum cos_result result = cos_fs_attribute(fs, info, FCP_SECURITY_COMPACT, attributes, &rule);

    if (result == COS_E_REFERENCE_NOT_FOUND) {
        const bool readable = !cos_file_is_df(info) && operation == COS_OPERATION_READ;
        conditions[0] = readable ? COS_SC_ALWAYS : COS_SC_NEVER;
        *count = 1;
        return COS_OK;
    }
    COS_TRY(result);
    /* Only rules that could be read were stored. */
    result = cos_rule_compact(rule, operation, conditions, count);
    return result == COS_E_DATA ? COS_E_STORE_DAMAGED : result;
}
