/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory of both chips is searched after every command that handles a secret, taken and
 * refused, in the clear and through a session: RAM, key memory, the response buffer, NVM, the line
 * between the chips, and the stack that the command used. What is in use is at its one place; what
 * was used is nowhere. Then each command once more, with the gate's session lost in the middle of
 * it at each of its frames.
 */
#include "card_table.h"
#include "gate_rig.h"
#include "hunt.h"
#include "iso_sm.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

/* ---- The secrets ---- */

#define NAME   "8409F05457494E434F5301"
#define SELECT "00A4040C 09 F05457494E434F5301"
#define AES    "F1E2D3C4B5A69788796A5B4C3D2E1F01"
#define DES    "FEDCBA98765432100123456789ABCDEF89ABCDEF01234567"
#define MUTUAL "8A5C1D2E3F405162738495A6B7C8D9EA0B1C2D3E4F60718293A4B5C6D7E8F90A"
#define HMAC   "5B9FD3A1C7E20486F1B8D56A7C39E0428D17F6B3"
#define EC     "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
#define P                                                                                          \
    "F9E1E3DD480BD2FDD35D429633A785F493DFB4DE9D9A10BB79AB57BCB708FA95"                             \
    "5CC0C1E1F623E3AA4D35575A4B23E9FB70D96D6B201A03A489DAA5D8675C1239"
#define Q                                                                                          \
    "C0B8C75F402DDD1F05C2C7F5F280D47B23EB8E0CD0E635897790CEDCF424ED4A"                             \
    "34B15D57B338276976415AA510A6309CA2EC5A78B8710A897BD866D4C2D260CB"
#define BLOCK "00112233445566778899AABBCCDDEEFF"

static const struct {
    const char *name, *bytes;
} known[] = {
    {"PIN 81", "313233343536"},
    {"a wrong PIN", "413233343546"},
    {"a new PIN", "515253545556"},
    {"the code", "3837363534333231"},
    {"PIN 85", "393837363534"},
    {"key 5, 8, 13", AES},
    {"key 6", DES},
    {"key 7", MUTUAL},
    {"key 9", HMAC},
    {"key 10", EC},
    {"p", P},
    {"q", Q},
};

static struct hunt hunt;

static void hunt_long(const char *name, const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += 32) {
        hunt_secret(&hunt, name, bytes + at, length - at < 32 ? length - at : 32);
    }
}

static void list_secrets(void)
{
    uint8_t bytes[64];

    hunt.count = 0;
    for (size_t i = 0; i < CARD_COUNT(known); i++) {
        hunt_long(known[i].name, bytes, bench_bytes(known[i].bytes, bytes, sizeof bytes));
    }
    hunt_secret(&hunt, "the access key", bench_access_key, 16);
    hunt_secret(&hunt, "the remote key", bench_remote_key, 16);
    hunt_secret(&hunt, "the external key", bench_external_key, 16);
    hunt_secret(&hunt, "ENC", bench_keys_card.enc, 16);
    hunt_secret(&hunt, "MAC", bench_keys_card.mac, 16);
    hunt_secret(&hunt, "DEK", bench_keys_card.dek, 16);
}

/* ---- The commands ---- */

enum how {
    PLAIN,       /* in the clear, which ends a session */
    SECURED,     /* through SCP03 with encipherment in both directions */
    OPEN,        /* INITIALIZE UPDATE and EXTERNAL AUTHENTICATE of SCP03 */
    OPEN_WRONG,  /* the same with a wrong cryptogram */
    EXTERNAL,    /* EXTERNAL AUTHENTICATE with the answer to the challenge that just came */
    MUTUAL_OPEN, /* GET CHALLENGE, MUTUAL AUTHENTICATE */
    ISO,         /* through the session that it opened */
};

static const struct row {
    const char *what;
    enum how how;
    const char *apdu;
    uint16_t sw;
} rows[] = {
    {"SCP03", OPEN, NULL, 0x9000},
    {"SELECT", SECURED, SELECT, 0x9000},
    {"STORE DATA of PIN 85", SECURED,
     "80E2E000 22 80101F 830105 " NAME " C90101 CC0104 C706 393837363534", 0x9000},
    {"key 5, internal", SECURED, "80E2E000 29 802026 830105 " NAME " 800101 950101 C710 " AES,
     0x9000},
    {"key 6, external, 3DES", SECURED, "80E2E000 31 80202E 830106 " NAME " 800102 950102 C718 " DES,
     0x9000},
    {"key 7, mutual", SECURED, "80E2E000 39 802036 830107 " NAME " 800101 950180 C720 " MUTUAL,
     0x9000},
    {"key 8, cipher", SECURED, "80E2E000 29 802026 830108 " NAME " 800101 CE010A C710 " AES,
     0x9000},
    {"key 9, HOTP", SECURED, "80E2E000 30 80202D 830109 " NAME " 800103 C90100 CE0140 C714 " HMAC,
     0x9000},
    {"key 13, checksums", SECURED,
     "80E2E000 2C 802029 83010D " NAME " 800101 CE0130 C00103 C710 " AES, 0x9000},
    {"key 10, EC", SECURED, "80E2E000 1D 80201A 83010A " NAME " 800105 C90100 CE0101 CB0100",
     0x9000},
    {"key 11, RSA", SECURED, "80E2E000 1D 80201A 83010B " NAME " 800104 C90110 CE010B CB0100",
     0x9000},
    {"key 12, agreement", SECURED, "80E2E000 1D 80201A 83010C " NAME " 800105 C90100 CE0104 CB0100",
     0x9000},
    {"refused: two purposes", SECURED, "80E2E000 29 802026 83010E " NAME " 800101 950103 C710 " AES,
     0x6A80},
    {"refused: a DGI cut short", SECURED,
     "80E2E000 2B 802026 83010E " NAME " 800101 950101 C710 " AES "8020", 0x6A80},
    {"refused: P1", SECURED, "80E2E100 29 802026 83010E " NAME " 800101 950101 C710 " AES, 0x6A86},
    {"import of EC", SECURED, "80E2E000 33 804030 83010A " NAME " C720 " EC, 0x9000},
    {"import into nothing", SECURED, "80E2E000 33 804030 83010E " NAME " C720 " EC, 0x6A88},
    {"import of EC into RSA", SECURED, "80E2E000 33 804030 83010B " NAME " C720 " EC, 0x6A80},
    {"import of p", SECURED, "80E2E000 53 804050 83010B " NAME " 9240" P, 0x9000},
    {"import of q", SECURED, "80E2E000 53 804050 83010B " NAME " 9340" Q, 0x9000},
    {"q without p", SECURED, "80E2E000 53 804050 83010B " NAME " 9340" Q, 0x6985},
    {"p alone", SECURED, "80E2E000 53 804050 83010B " NAME " 9240" P, 0x9000},
    {"p once more as q", SECURED, "80E2E000 53 804050 83010B " NAME " 9340" P, 0x6A80},
    {"p that waits for another command", SECURED, "80E2E000 53 804050 83010B " NAME " 9240" P,
     0x9000},
    {"which is this", SECURED, SELECT, 0x9000},
    {"p that waits for a plain command", SECURED, "80E2E000 53 804050 83010B " NAME " 9240" P,
     0x9000},
    {"SELECT in the clear", PLAIN, SELECT, 0x9000},
    {"both factors", OPEN, NULL, 0x9000},
    {"SELECT", SECURED, SELECT, 0x9000},
    {"import of both", SECURED, "80E2E000 95 804092 83010B " NAME " 9240" P "9340" Q, 0x9000},
    {"VERIFY, wrong", SECURED, "00200081 06 413233343546", 0x63C2},
    {"VERIFY", SECURED, "00200081 06 313233343536", 0x9000},
    {"RESET by the issuer", SECURED, "002C0281 06 313233343536", 0x9000},
    {"sign with EC", SECURED, "0022C1B6 03 84018A", 0x9000},
    {"signed", SECURED, "002A9E9A 14 " BLOCK "01020304", 0x9000},
    {"PUT KEY, which is none", SECURED, "80D80081 06 515253545556", 0x6A80},
    {"SCP03, wrong", OPEN_WRONG, NULL, 0x6300},
    {"SELECT", PLAIN, SELECT, 0x9000},
    {"VERIFY", PLAIN, "00200081 06 313233343536", 0x9000},
    {"VERIFY, wrong", PLAIN, "00200081 06 413233343546", 0x63C2},
    {"VERIFY, no such PIN", PLAIN, "0020008F 06 313233343536", 0x6A88},
    {"CHANGE, wrong", PLAIN, "00240081 0C 413233343546 515253545556", 0x63C1},
    {"CHANGE", PLAIN, "00240081 0C 313233343536 515253545556", 0x9000},
    {"CHANGE back", PLAIN, "00240081 0C 515253545556 313233343536", 0x9000},
    {"RESET, wrong", PLAIN, "002C0081 0E 3837363534333241 515253545556", 0x63C4},
    {"RESET", PLAIN, "002C0081 0E 3837363534333231 313233343536", 0x9000},
    {"RESET, code only", PLAIN, "002C0181 08 3837363534333231", 0x9000},
    {"RESET by nobody", PLAIN, "002C0281 06 515253545556", 0x6982},
    {"DISABLE, wrong", PLAIN, "00260085 06 393837363533", 0x63C2},
    {"DISABLE", PLAIN, "00260085 06 393837363534", 0x9000},
    {"ENABLE, wrong", PLAIN, "00280085 06 393837363533", 0x63C2},
    {"ENABLE", PLAIN, "00280085 06 393837363534", 0x9000},
    {"DISABLE, not allowed", PLAIN, "00260081 06 313233343536", 0x6985},
    {"INTERNAL AUTHENTICATE", PLAIN, "00880085 10 " BLOCK, 0x9000},
    {"the same, too short", PLAIN, "00880085 08 0011223344556677", 0x6700},
    {"VERIFY", PLAIN, "00200081 06 313233343536", 0x9000},
    {"access proof", PLAIN, "00880081 18 " BLOCK "0011223344556677", 0x9000},
    {"one-time password", PLAIN, "00880089", 0x9000},
    {"of no such kind", PLAIN, "00880089 08 0000000000000001", 0x6985},
    {"GENERAL AUTHENTICATE, internal", PLAIN, "00860085 16 7C1482008110" BLOCK, 0x9000},
    {"its challenge", PLAIN, "00860083 04 7C028100", 0x9000},
    {"and a wrong response", PLAIN, "00860083 14 7C128210" BLOCK, 0x63C9},
    {"GET CHALLENGE", PLAIN, "0084000010", 0x9000},
    {"EXTERNAL AUTHENTICATE", EXTERNAL, NULL, 0x9000},
    {"GET CHALLENGE", PLAIN, "0084000010", 0x9000},
    {"EXTERNAL AUTHENTICATE, wrong", PLAIN, "00820083 10 " BLOCK, 0x63C9},
    {"GET CHALLENGE", PLAIN, "0084000008", 0x9000},
    {"EXTERNAL AUTHENTICATE, 3DES, wrong", PLAIN, "00820086 08 0011223344556677", 0x63C9},
    {"GENERATE", PLAIN, "00478000 05 B60384018C", 0x9000},
    {"agreement", PLAIN,
     "00860084 45 7C43 8541 04 6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
     "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5",
     0x6A88},
    {"agreement", PLAIN,
     "0086008C 45 7C43 8541 04 6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
     "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5",
     0x9000},
    {"SET", PLAIN, "0022C1B6 03 84018A", 0x9000},
    {"sign with EC", PLAIN, "002A9E9A 14 " BLOCK "01020304", 0x9000},
    {"too short a digest", PLAIN, "002A9E9A 10 " BLOCK, 0x6700},
    {"SET", PLAIN, "0022C1B6 06 800111 84018B", 0x9000},
    {"sign with RSA", PLAIN, "002A9E9A 14 " BLOCK "01020304", 0x9000},
    {"SET", PLAIN, "0022C1B8 06 800106 840188", 0x9000},
    {"decipher", PLAIN, "002A8086 11 02 " BLOCK, 0x9000},
    {"encipher", PLAIN, "002A8480 10 " BLOCK, 0x9000},
    {"SET", PLAIN, "0022C1B8 06 800107 840188", 0x9000},
    {"decipher, bad padding", PLAIN, "002A8086 11 01 " BLOCK, 0x6A80},
    {"SET", PLAIN, "0022C1B4 03 84018D", 0x9000},
    {"checksum", PLAIN, "002A8E80 03 616263", 0x9000},
    {"verify checksum, wrong", PLAIN, "002A00A2 17 8003616263 8E10 " BLOCK, 0x63C2},
    {"RESTORE", PLAIN, "0022F300", 0x9000},
    {"no key is set", PLAIN, "002A9E9A 14 " BLOCK "01020304", 0x6985},
    {"GENERATE over what was imported", PLAIN, "00478000 05 B60384018A", 0x9000},
    {"MUTUAL AUTHENTICATE without a challenge", PLAIN,
     "00820087 38 " BLOCK BLOCK BLOCK "0011223344556677", 0x6985},
    {"GET CHALLENGE", PLAIN, "0084000010", 0x9000},
    {"MUTUAL AUTHENTICATE, wrong", PLAIN, "00820087 38 " BLOCK BLOCK BLOCK "0011223344556677",
     0x63C9},
    {"GET CHALLENGE", PLAIN, "0084000010", 0x9000},
    {"MUTUAL AUTHENTICATE", MUTUAL_OPEN, NULL, 0x9000},
    {"VERIFY", ISO, "00200081 06 313233343536", 0x9000},
    {"VERIFY, wrong", ISO, "00200081 06 413233343546", 0x63C2},
    {"a plain command", PLAIN, SELECT, 0x9000},
    {"SCP03", OPEN, NULL, 0x9000},
    {"SELECT", SECURED, SELECT, 0x9000},
    {"DELETE of a key", SECURED, "80E40000 03 D00185", 0x9000},
    {"DELETE of a pair", SECURED, "80E40000 03 D0018B", 0x9000},
    {"lock", SECURED, "80F0807F", 0x9000},
    {"a locked card", SECURED, "80E40000 03 D00186", 0x6985},
    {"unlock", SECURED, "80F0800F", 0x9000},
    {"terminate", SECURED, "80F080FF", 0x9000},
};

/* ---- Sending on a stack of its own ---- */

static struct {
    struct bench bench;
    struct iso_sm iso;
    uint8_t command[BENCH_APDU_MAX], response[BENCH_RESPONSE + 2];
    size_t length;
    /* The line: frames to the security chip so far, and which of them is forged; 0: none. */
    unsigned frames, forged;
    uint8_t line[1 << 16];
    size_t line_length;
} world;

#ifdef __SANITIZE_ADDRESS__
enum { OWN_STACK = 0 }; /* the sanitizer has its own ideas about stacks */
#else
enum { OWN_STACK = 1 };
#endif
static uint8_t stack[1 << 17];
static ucontext_t here, there;

static void command_and_settle(void)
{
    world.length = cos_app_command(&world.bench.app, world.command, world.length, world.response,
                                   sizeof world.response);
    cos_app_settle(&world.bench.app);
}

static void send(const uint8_t *apdu, size_t length)
{
    struct bench *bench = &world.bench;

    assert_true(length <= sizeof world.command);
    memcpy(world.command, apdu, length);
    world.length = length;
    if (OWN_STACK) {
        memset(stack, 0, sizeof stack);
        assert_int_equal(getcontext(&there), 0);
        there.uc_stack.ss_sp = stack;
        there.uc_stack.ss_size = sizeof stack;
        there.uc_link = &here;
        makecontext(&there, command_and_settle, 0);
        assert_int_equal(swapcontext(&here, &there), 0);
    } else {
        command_and_settle();
    }
    assert_true(world.length >= 2);
    bench->length = world.length - 2;
    memcpy(bench->data, world.response, bench->length);
    bench->sw = cos_get16(world.response + bench->length);
}

/* Whoever is on the line changes one frame, and its CRC with it. */
static unsigned line(void *context, bool to_secure, uint8_t *frame, size_t *length)
{
    (void)context;
    if (to_secure && ++world.frames == world.forged) {
        frame[*length - FRAME_CRC - 1] ^= 1;
        cos_put32(frame + *length - FRAME_CRC, cos_crc32(0, frame, *length - FRAME_CRC));
    }
    if (world.line_length + *length <= sizeof world.line) {
        memcpy(world.line + world.line_length, frame, *length);
        world.line_length += *length;
    }
    return 1;
}

static void send_plain(const char *text)
{
    uint8_t apdu[BENCH_APDU_MAX];

    send(apdu, bench_bytes(text, apdu, sizeof apdu));
}

static void send_secured(const char *text)
{
    struct bytes apdu;

    bench_wrap(&world.bench, text, &apdu);
    send(apdu.data, apdu.length);
    if (world.forged == 0) {
        assert_true(scp03_unwrap(&world.bench.scp03, world.bench.sw, world.bench.data,
                                 &world.bench.length));
    }
}

static void send_iso(const char *text)
{
    uint8_t bytes[BENCH_APDU_MAX];
    struct command command;
    struct bytes apdu, plain;

    assert_true(command_read(bytes, bench_bytes(text, bytes, sizeof bytes), &command));
    iso_wrap(&world.iso, &command, &apdu);
    send(apdu.data, apdu.length);
    if (world.forged == 0) {
        assert_true(iso_unwrap(&world.iso, false, world.bench.data, world.bench.length,
                               world.bench.sw, &plain));
    }
}

static void open_scp03(bool right)
{
    static const uint8_t issuer[8] = {0xA0, 0x00, 0x00, 0x01, 0x51};
    static const uint8_t host[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct bench *bench = &world.bench;
    struct problem problem;
    struct bytes apdu = {0};

    send_plain("80500100 08 0102030405060708 00");
    if (world.forged != 0 && bench->sw != 0x9000) {
        return;
    }
    assert_int_equal(scp03_begin(&bench->scp03, &bench_keys_card, 0x01,
                                 (struct part){issuer, sizeof issuer},
                                 (struct part){host, sizeof host},
                                 (struct part){bench->data, bench->length}, &problem),
                     DONE);
    assert_true(scp03_authenticate(&bench->scp03, 0x33, &apdu));
    apdu.data[5] ^= (uint8_t)!right;
    send(apdu.data, apdu.length);
}

static void authenticate(void)
{
    uint8_t apdu[5 + 16] = {0x00, 0x82, 0x00, 0x83, 16};

    assert_true(
        crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, world.bench.data, 16, apdu + 5));
    send(apdu, sizeof apdu);
}

static void open_mutual(void)
{
    static const uint8_t rnd_ifd[16] = {0x78, 0x17, 0x23, 0x86}, k_ifd[16] = {0x0B, 0x79, 0x52};
    uint8_t rnd_ic[16], keys[32];
    struct command command = {.ins = 0x82, .p2 = 0x87, .ne = 256};
    struct bytes data = {0}, apdu = {0};

    bench_bytes(MUTUAL, keys, sizeof keys);
    world.iso = (struct iso_sm){.aes = true, .key_length = 16};
    memcpy(world.iso.enc, keys, 16);
    memcpy(world.iso.mac, keys + 16, 16);
    memcpy(rnd_ic, world.bench.data, 16);
    iso_challenge(&world.iso, rnd_ifd, rnd_ic, k_ifd, &data);
    command.data = data.data;
    command.nc = data.length;
    assert_true(command_write(&command, &apdu));
    send(apdu.data, apdu.length);
    if (world.forged == 0) {
        assert_true(
            iso_accept(&world.iso, rnd_ifd, rnd_ic, k_ifd, world.bench.data, world.bench.length));
    }
}

static void run(const struct row *row)
{
    world.frames = 0;
    world.line_length = 0;
    switch (row->how) {
    case PLAIN:
        send_plain(row->apdu);
        break;
    case SECURED:
        send_secured(row->apdu);
        break;
    case ISO:
        send_iso(row->apdu);
        break;
    case EXTERNAL:
        authenticate();
        break;
    case MUTUAL_OPEN:
        open_mutual();
        break;
    default:
        open_scp03(row->how == OPEN);
    }
}

/* ---- Searching ---- */

/* Session keys and the storage key, as they stand in memory. */
static struct hunt keys;

static void list_keys(void)
{
    static const uint8_t none[16];
    const struct cos_secure *secure = &world.bench.secure;
    const struct cos_session *session = &secure->sessions[0];

    keys.count = 0;
    hunt_secret(&keys, "the gate's request key", secure->gate.request_key, 16);
    hunt_secret(&keys, "the gate's response key", secure->gate.response_key, 16);
    hunt_secret(&keys, "the storage key", secure->storage_key, sizeof secure->storage_key);
    if (session->open == COS_YES) {
        hunt_secret(&keys, "S-ENC", session->enc, 16);
        hunt_secret(&keys, "S-MAC", session->mac, 16);
        if (memcmp(session->rmac, none, sizeof none) != 0) {
            hunt_secret(&keys, "S-RMAC", session->rmac, 16);
        }
    }
}

static void search(const struct hunt *what, const char *row, const char *place,
                   const uint8_t *bytes, size_t length)
{
    const char *found = hunt_find(what, bytes, length);

    if (found != NULL) {
        fail_msg("%s%s: %s lies in %s", row, world.forged != 0 ? ", session lost" : "", found,
                 place);
    }
}

static void search_outside(const struct hunt *what, const char *row)
{
    const struct bench *bench = &world.bench;

    search(what, row, "the response buffer", bench->response_buffer, sizeof bench->response_buffer);
    search(what, row, "the command buffer", world.command, sizeof world.command);
    search(what, row, "the line", world.line, world.line_length);
    search(what, row, "the stack", stack, sizeof stack);
    if (bench->secure.waiting == 0) {
        search(what, row, "key memory", bench->key_memory, sizeof bench->key_memory);
    }
}

/* Both chips, without what is in use at its one place. */
static void search_chips(const struct hunt *what, const char *row)
{
    static struct cos_secure secure;
    static struct cos_app app;
    struct cos_session *session = &secure.sessions[0];

    secure = world.bench.secure;
    app = world.bench.app;
    if (secure.gate.open) {
        memset(secure.gate.request_key, 0, 16);
        memset(secure.gate.response_key, 0, 16);
    }
    if (app.gate.open) {
        memset(app.gate.request_key, 0, 16);
        memset(app.gate.response_key, 0, 16);
    }
    if (session->open == COS_YES) {
        memset(session->enc, 0, sizeof session->enc);
        memset(session->mac, 0, sizeof session->mac);
        memset(session->rmac, 0, sizeof session->rmac);
    }
    if (secure.life_cycle != COS_LIFE_TERMINATED) {
        memset(secure.storage_key, 0, sizeof secure.storage_key);
    }
    search(what, row, "the app chip's memory", (const uint8_t *)&app, sizeof app);
    search(what, row, "the security chip's memory", (const uint8_t *)&secure, sizeof secure);
}

static void search_everywhere(const char *row)
{
    const struct sim_nvm *app = &world.bench.app_nvm, *secure = &world.bench.secure_nvm;
    static const uint8_t none[BENCH_KEY_MEMORY];

    search_outside(&hunt, row);
    search_chips(&hunt, row);
    search(&hunt, row, "the app chip's NVM", app->cells, app->nvm.geometry.size);
    search(&hunt, row, "the security chip's NVM", secure->cells, secure->nvm.geometry.size);
    search_outside(&keys, row); /* those from before the command */
    search_chips(&keys, row);
    search(&keys, row, "the app chip's NVM", app->cells, app->nvm.geometry.size);
    if (world.bench.secure.waiting == 0) {
        assert_memory_equal(world.bench.key_memory, none, sizeof none); /* keys made here, too */
    }
}

/* ---- The tests ---- */

static struct gate_snapshot before, after;
static unsigned long lost;

/* The command as it was, but at its n-th frame somebody forges one. */
static void lose_session(const struct row *row, const struct iso_sm *iso, unsigned frame)
{
    gate_snapshot_restore(&world.bench, &before);
    world.iso = *iso;
    world.forged = frame;
    run(row);
    if (world.bench.sw != 0x6F00 || world.bench.secure.gate.open) {
        fail_msg("%s, session lost: %04X", row->what, world.bench.sw);
    }
    search_everywhere(row->what);
    world.forged = 0;
    lost++;
}

static void try_row(const struct row *row)
{
    const struct iso_sm iso = world.iso;

    list_keys();
    gate_snapshot_save(&world.bench, &before);
    run(row);
    if (world.bench.sw != row->sw) {
        fail_msg("%s: %04X", row->what, world.bench.sw);
    }
    search_everywhere(row->what);
    const unsigned frames = world.frames;
    const struct iso_sm iso_after = world.iso;
    gate_snapshot_save(&world.bench, &after);
    for (unsigned frame = 1; frame <= frames; frame++) {
        lose_session(row, &iso, frame);
    }
    gate_snapshot_restore(&world.bench, &after);
    world.iso = iso_after;
}

static void no_command_leaves_a_secret(void **state)
{
    (void)state;
    list_secrets();
    bench_make(&world.bench, &bench_host);
    bench_select(&world.bench);
    world.bench.tap = line;
    world.bench.secure.tested = 0xFF; /* messages of known answers look like PINs */
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        try_row(&rows[i]);
    }
    print_message("# %zu commands, and each again with the gate's session lost at each of its "
                  "frames, %lu times: none of %zu secrets left\n",
                  CARD_COUNT(rows), lost, CARD_COUNT(known) + 6);
    bench_free(&world.bench);
    gate_snapshot_free(&before);
    gate_snapshot_free(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_command_leaves_a_secret)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
