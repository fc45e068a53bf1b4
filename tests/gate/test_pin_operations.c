/* SPDX-License-Identifier: Apache-2.0
 *
 * Every operation of the call PIN with every length: each has one allowed outcome, which is
 * computed here from docs/formats.md ("Calls", "Formats of PINs").
 *
 * PIN 81: 4 to 12 bytes; resetting code of 8; set anew never, reset under secure messaging, not to
 * be disabled. The data are 00.
 */
#include "gate_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int pin_operation(unsigned operation, size_t data)
{
    const bool none = data == 0;

    switch (operation) {
    case COS_PIN_VERIFY:
        return data < 4 || data > 12 ? COS_E_LENGTH : (int)cos_tries_left(2);
    case COS_PIN_QUERY:
        return none ? (int)cos_tries_left(3) : COS_E_GATE_FORMAT;
    case COS_PIN_DROP:
        return none ? COS_OK : COS_E_GATE_FORMAT;
    case COS_PIN_CHANGE:
        return data < 2 ? COS_E_LENGTH : (int)cos_tries_left(2);
    case COS_PIN_UNBLOCK:
        if (data < 8) {
            return COS_E_LENGTH;
        }
        return data < 12 || data > 20 ? COS_E_DATA : (int)cos_tries_left(4);
    case COS_PIN_UNBLOCK_ONLY:
        return data == 8 ? (int)cos_tries_left(4) : COS_E_LENGTH;
    case COS_PIN_CHANGE_ONLY:
    case COS_PIN_RESET:
    case COS_PIN_RESET_ONLY:
        return COS_E_SECURITY_STATUS;
    case COS_PIN_DISABLE:
    case COS_PIN_DISABLE_ONLY:
    case COS_PIN_ENABLE:
    case COS_PIN_ENABLE_ONLY:
        return COS_E_CONDITIONS;
    default:
        return COS_E_GATE_FORMAT;
    }
}

static void each_operation_on_a_pin_has_its_one_outcome(void **state)
{
    const struct cos_gate_row *row = cos_gate_row(COS_GATE_PIN);
    static struct bench card;
    static struct gate_snapshot made;
    static struct gate_rig rig, opened;
    unsigned count = 0;

    (void)state;
    assert_true(gate_rig_at(&opened, &card, COS_LIFE_OPERATIONAL));
    gate_snapshot_save(&card, &made);
    for (unsigned operation = 0; operation <= 255; operation++) {
        for (size_t length = row->smallest; length <= row->largest; length++) {
            const uint8_t message[64] = {(uint8_t)operation, 0x00, 0x81, 0x00};
            const int outcome = pin_operation(operation, length - row->smallest);
            gate_snapshot_restore(&card, &made);
            rig = opened;
            assert_true(gate_rig_call(&rig, COS_GATE_PIN, message, length));
            if (rig.result != outcome || rig.length != 0) {
                fail_msg("operation %02X, %zu bytes: %d", operation, length, rig.result);
            }
            count++;
        }
    }
    gate_snapshot_free(&made);
    bench_free(&card);
    print_message("# %u operations on a PIN (256 operations, every length)\n", count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_on_a_pin_has_its_one_outcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
