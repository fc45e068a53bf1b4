/* SPDX-License-Identifier: Apache-2.0
 *
 * Results inside, status words outside.
 *
 * Every function that can fail returns enum cos_result: COS_OK or a negative value. There is one
 * value for each status word that a command can end with, and a few for what only happens inside;
 * cos_sw() is the one place where a result becomes the status word of ISO/IEC 7816-4:2013, 5.1.3.
 */
#ifndef COS_STATUS_H
#define COS_STATUS_H

#include <stdint.h>

enum cos_result {
    COS_OK = 0,

    /* Warnings and errors of ISO/IEC 7816-4, table 6: the name is the standard's text. */
    COS_E_END_REACHED = -1,          /* 6282 end of file or record before Ne bytes */
    COS_E_FILE_DEACTIVATED = -2,     /* 6283 selected file deactivated */
    COS_E_AUTHENTICATION = -3,       /* 6300 authentication failed, no counter */
    COS_E_MEMORY_FAILURE = -4,       /* 6581 a memory cell did not take its value */
    COS_E_LENGTH = -5,               /* 6700 wrong length */
    COS_E_CHANNEL = -6,              /* 6881 logical channel not supported */
    COS_E_SECURE_MESSAGING = -7,     /* 6882 secure messaging not supported */
    COS_E_CHAINING = -8,             /* 6884 command chaining not supported */
    COS_E_FILE_STRUCTURE = -9,       /* 6981 command incompatible with file structure */
    COS_E_SECURITY_STATUS = -10,     /* 6982 security status not satisfied */
    COS_E_METHOD_BLOCKED = -11,      /* 6983 authentication method blocked */
    COS_E_NOT_USABLE = -12,          /* 6984 reference data not usable */
    COS_E_CONDITIONS = -13,          /* 6985 conditions of use not satisfied */
    COS_E_NO_CURRENT_EF = -14,       /* 6986 command not allowed, no current EF */
    COS_E_SM_MISSING = -15,          /* 6987 expected secure messaging data objects missing */
    COS_E_SM_INCORRECT = -16,        /* 6988 incorrect secure messaging data objects */
    COS_E_DATA = -17,                /* 6A80 incorrect parameters in the command data field */
    COS_E_FUNCTION = -18,            /* 6A81 function not supported */
    COS_E_FILE_NOT_FOUND = -19,      /* 6A82 file or application not found */
    COS_E_RECORD_NOT_FOUND = -20,    /* 6A83 record not found */
    COS_E_MEMORY_FULL = -21,         /* 6A84 not enough memory space in the file */
    COS_E_TLV_LENGTH = -22,          /* 6A85 Nc inconsistent with TLV structure */
    COS_E_P1_P2 = -23,               /* 6A86 incorrect parameters P1-P2 */
    COS_E_LENGTH_P1_P2 = -24,        /* 6A87 Nc inconsistent with parameters P1-P2 */
    COS_E_REFERENCE_NOT_FOUND = -25, /* 6A88 referenced data or reference data not found */
    COS_E_FILE_EXISTS = -26,         /* 6A89 file already exists */
    COS_E_NAME_EXISTS = -27,         /* 6A8A DF name already exists */
    COS_E_OFFSET = -28,              /* 6B00 wrong parameters P1-P2, offset outside the EF */
    COS_E_INSTRUCTION = -29,         /* 6D00 instruction code not supported or invalid */
    COS_E_CLASS = -30,               /* 6E00 class not supported */
    COS_E_FILE_TERMINATED = -31,     /* 6285 selected file in termination state */

    /* 63C0 to 63CF: COS_E_TRIES_0 - n means n further tries; see cos_tries_left(). */
    COS_E_TRIES_0 = -32,
    COS_E_TRIES_15 = -47,

    COS_E_EXECUTION = -49,     /* 6400 execution error, state of non-volatile memory unchanged */
    COS_E_SHARED_ACCESS = -48, /* 6481 access denied: the file is current on another channel */

    /* Inside only. All but the first become 6F00. */
    COS_E_MORE_DATA = -64, /* 6310 more data available (GET STATUS) */
    COS_E_INVARIANT = -65, /* our own bug, or a fault: the card goes mute */
    COS_E_MUTE = -66,      /* the card is mute: self-test, pairing, ROM digest or attack counter */
    COS_E_NVM = -67,       /* the port could not read, program or erase */
    COS_E_STORE_DAMAGED = -68, /* the NVM image cannot be trusted */
    COS_E_STORE_BLANK = -69,   /* the NVM holds no store at all */
    COS_E_LINK_TIMEOUT = -70,  /* nothing came over the link in time */
    COS_E_LINK_DAMAGED = -71,  /* a frame with wrong length or CRC came */
    COS_E_LINK_DOWN = -72,     /* the other chip is gone */
    COS_E_GATE_SESSION = -73,  /* the gate's session is over: HELLO is needed */
    COS_E_GATE_FORMAT = -74,   /* a gate message with a bad length or value */
    COS_E_GATE_STATE = -75,    /* this call is not served in this life-cycle state */
    COS_E_NOT_SERVED = -76,    /* the call is in the table, but this firmware does not serve it */
    COS_E_ENTROPY = -77,       /* the noise source failed its health tests */
    COS_E_CRYPTO = -78,        /* the crypto provider failed */
    COS_E_SELF_TEST = -79,     /* a known-answer test failed */
    COS_E_STORE_VERSION = -81, /* the NVM holds a store of another format version */
    COS_E_LINE_SILENT = -82,   /* contacts: no character in time */
    COS_E_LINE_PARITY = -83,   /* contacts: a character with wrong parity came, or was refused */
    COS_E_LINE_RESET = -84,    /* contacts: RST or VCC went low: everything starts again */
    COS_E_END_OF_DATA = -80,   /* a reader ran out of bytes, or a writer out of room */
};

/* Result that says "wrong, n further tries" (n up to 15): status word 63CX. */
static inline enum cos_result cos_tries_left(unsigned n)
{
    return (enum cos_result)(COS_E_TRIES_0 - (int)(n > 15 ? 15 : n));
}

/* Status words that code names directly (ISO/IEC 7816-4:2013, tables 5 and 6). */
enum cos_sw {
    COS_SW_OK = 0x9000,
    COS_SW_BYTES_AVAILABLE = 0x6100, /* 61XX: XX bytes wait for GET RESPONSE */
    COS_SW_WRONG_LENGTH = 0x6700,
    COS_SW_NO_DIAGNOSIS = 0x6F00,
};

/* The status word for a result: 9000 for COS_OK, 6F00 for whatever has no word of its own. Pure. */
uint16_t cos_sw(enum cos_result result);

/* True for a warning that comes together with response data (6282, 6283, 6285, 6310). Pure. */
static inline int cos_is_warning(enum cos_result result)
{
    return result == COS_E_END_REACHED || result == COS_E_FILE_DEACTIVATED ||
           result == COS_E_FILE_TERMINATED || result == COS_E_MORE_DATA;
}

/* COS_CHECK: bad input from outside ends the function with the error that the standard names.
 * COS_INVARIANT: what can only be our own bug or a fault ends it with COS_E_INVARIANT, and the card
 * goes mute. COS_TRY: hands on an error of a callee. */
#define COS_CHECK(condition, error)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            return (error);                                                                        \
        }                                                                                          \
    } while (0)
#define COS_INVARIANT(condition) COS_CHECK(condition, COS_E_INVARIANT)
#define COS_TRY(expression)                                                                        \
    do {                                                                                           \
        enum cos_result cos_try_result_ = (expression);                                            \
        if (cos_try_result_ != COS_OK) {                                                           \
            return cos_try_result_;                                                                \
        }                                                                                          \
    } while (0)

#endif
