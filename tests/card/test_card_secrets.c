/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory of both chips is searched after every command that handles a secret, taken and
 * refused, in the clear and through a session: RAM, key memory, the response buffer, NVM, the line
 * between the chips, and the stack that the command used. What is in use is at its one place; what
 * was used is nowhere. Then each command once more, with the gate's session lost in the middle of
 * it at each of its frames.
 */
#include "card_table.h"
#include "iso_sm.h"
#include "twinctl/crypto.h"
#include "watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- The secrets ---- */

#define NAME   "8409F05457494E434F5301"
#define SELECT "00A4040C 09 F05457494E434F5301"
#define AES    "F1E2D3C4B5A69788796A5B4C3D2E1F01"
#define DES    "FEDCBA98765432100123456789ABCDEF89ABCDEF01234567"
#define MUTUAL "8A5C1D2E3F405162738495A6B7C8D9EA0B1C2D3E4F60718293A4B5C6D7E8F90A"
#define HMAC   "5B9FD3A1C7E20486F1B8D56A7C39E0428D17F6B3"
#define LONG                                                                                       \
    "6AD1407C95E3B82F18C4F6507B9E2D83A0651FC97E34DB82560F9BE1C7483A5D2E90F4B1"                     \
    "8C7D1A66"
#define EC    "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
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
    {"key 4", LONG},
    {"p", BENCH_P},
    {"q", BENCH_Q},
};

static const struct scp03_keys new_set = {
    .length = 16,
    .enc = {0xA1, 0x3C, 0x77, 0x02, 0x9E, 0x45, 0xD8, 0x6B, 0x10, 0xF4, 0x8D, 0x29, 0xC6, 0x5A,
            0xE3, 0x91},
    .mac = {0xB2, 0x4D, 0x88, 0x13, 0xAF, 0x56, 0xE9, 0x7C, 0x21, 0x05, 0x9F, 0x3A, 0xD7, 0x6B,
            0xF4, 0xA2},
    .dek = {0xC3, 0x5E, 0x99, 0x24, 0xB0, 0x67, 0xFA, 0x8D, 0x32, 0x16, 0xA0, 0x4B, 0xE8, 0x7C,
            0x05, 0xB3},
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
    hunt_secret(&hunt, "new ENC", new_set.enc, 16);
    hunt_secret(&hunt, "new MAC", new_set.mac, 16);
    hunt_secret(&hunt, "new DEK", new_set.dek, 16);
}

/* ---- The commands ---- */

enum how {
    PLAIN,         /* in the clear, which ends a session */
    SECURED,       /* through SCP03 with encipherment in both directions */
    OPEN,          /* INITIALIZE UPDATE and EXTERNAL AUTHENTICATE of SCP03 */
    OPEN_WRONG,    /* the same with a wrong cryptogram */
    EXTERNAL,      /* EXTERNAL AUTHENTICATE with the answer to the challenge that just came */
    MUTUAL_OPEN,   /* GET CHALLENGE, MUTUAL AUTHENTICATE */
    PUT_KEY,       /* a new set, 02, in place of nothing or of the one that P1 says in `apdu` */
    PUT_KEY_WRONG, /* the same with its last check value wrong */
    ISO,           /* through the session that it opened */
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
    {"key 4, HOTP of a long secret", SECURED,
     "80E2E000 44 802041 830104 " NAME " 800103 C90100 CE0140 C728 " LONG, 0x9000},
    {"key 5 in two blocks", SECURED,
     "80E26000 21 802026 830105 " NAME " 800101 950101 C710 F1E2D3C4B5A69788", 0x9000},
    {"the last one", SECURED, "80E2E001 08 796A5B4C3D2E1F01", 0x9000},
    {"a block that waits", SECURED,
     "80E26000 21 802026 830105 " NAME " 800101 950101 C710 F1E2D3C4B5A69788", 0x9000},
    {"for another command", SECURED, SELECT, 0x9000},
    {"refused: two purposes", SECURED, "80E2E000 29 802026 83010E " NAME " 800101 950103 C710 " AES,
     0x6A80},
    {"refused: a DGI cut short", SECURED,
     "80E2E000 2B 802026 83010E " NAME " 800101 950101 C710 " AES "8020", 0x6A80},
    {"refused: P1", SECURED, "80E2E100 29 802026 83010E " NAME " 800101 950101 C710 " AES, 0x6A86},
    {"import of EC", SECURED, "80E2E000 33 804030 83010A " NAME " C720 " EC, 0x9000},
    {"import into nothing", SECURED, "80E2E000 33 804030 83010E " NAME " C720 " EC, 0x6A88},
    {"import of EC into RSA", SECURED, "80E2E000 33 804030 83010B " NAME " C720 " EC, 0x6A80},
    {"import of p", SECURED, "80E2E000 53 804050 83010B " NAME " 9240" BENCH_P, 0x9000},
    {"import of q", SECURED, "80E2E000 53 804050 83010B " NAME " 9340" BENCH_Q, 0x9000},
    {"q without p", SECURED, "80E2E000 53 804050 83010B " NAME " 9340" BENCH_Q, 0x6985},
    {"p alone", SECURED, "80E2E000 53 804050 83010B " NAME " 9240" BENCH_P, 0x9000},
    {"p once more as q", SECURED, "80E2E000 53 804050 83010B " NAME " 9340" BENCH_P, 0x6A80},
    {"p that waits for another command", SECURED, "80E2E000 53 804050 83010B " NAME " 9240" BENCH_P,
     0x9000},
    {"which is this", SECURED, SELECT, 0x9000},
    {"p that waits for a plain command", SECURED, "80E2E000 53 804050 83010B " NAME " 9240" BENCH_P,
     0x9000},
    {"SELECT in the clear", PLAIN, SELECT, 0x9000},
    {"both factors", OPEN, NULL, 0x9000},
    {"SELECT", SECURED, SELECT, 0x9000},
    {"import of both", SECURED, "80E2E000 95 804092 83010B " NAME " 9240" BENCH_P "9340" BENCH_Q,
     0x9000},
    {"VERIFY, wrong", SECURED, "00200081 06 413233343546", 0x63C2},
    {"VERIFY", SECURED, "00200081 06 313233343536", 0x9000},
    {"VERIFY in two parts", SECURED, "10200081 03 313233", 0x9000},
    {"the last one", SECURED, "00200081 03 343536", 0x9000},
    {"CHANGE, a part", SECURED, "10240081 06 313233343536", 0x9000},
    {"and another command", SECURED, SELECT, 0x9000},
    {"RESET by the issuer", SECURED, "002C0281 06 313233343536", 0x9000},
    {"sign with EC", SECURED, "0022C1B6 03 84018A", 0x9000},
    {"signed", SECURED, "002A9E9A 14 " BLOCK "01020304", 0x9000},
    {"PUT KEY", PUT_KEY, "00", 0x9000},
    {"PUT KEY over it, wrong", PUT_KEY_WRONG, "02", 0x6A80},
    {"PUT KEY over it", PUT_KEY, "02", 0x9000},
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
    {"VERIFY in two parts", PLAIN, "10200081 03 313233", 0x9000},
    {"the last one", PLAIN, "00200081 03 343536", 0x9000},
    {"CHANGE, a part", PLAIN, "10240081 06 313233343536", 0x9000},
    {"and another command", PLAIN, SELECT, 0x9000},
    {"CHANGE, a part", PLAIN, "10240081 06 313233343536", 0x9000},
    {"and too much", PLAIN, "00240081 1C 515253545556" BLOCK "515253545556", 0x6700},
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
    {"of a long secret", PLAIN, "00880084", 0x9000},
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
    {"agreement, key of another kind", PLAIN,
     "00860084 45 7C43 8541 04 6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
     "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5",
     0x6985},
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
    {"DELETE of a set", SECURED, "80E40000 03 D20102", 0x9000},
    {"DELETE of a pair", SECURED, "80E40000 03 D0018B", 0x9000},
    {"lock", SECURED, "80F0807F", 0x9000},
    {"a locked card", SECURED, "80E40000 03 D00186", 0x6985},
    {"unlock", SECURED, "80F0800F", 0x9000},
    {"terminate", SECURED, "80F080FF", 0x9000},
};

/* ---- Sending ---- */

static struct iso_sm iso_session;

static void send_plain(const char *text)
{
    uint8_t apdu[BENCH_APDU_MAX];

    watched_send(apdu, bench_bytes(text, apdu, sizeof apdu));
}

/* A command without secure messaging through SCP03. */
static void send_command(const struct command *command)
{
    struct bytes apdu = {0};

    assert_true(scp03_wrap(&watched.bench.scp03, command, &apdu));
    watched_send(apdu.data, apdu.length);
    if (watched.forged == 0) {
        assert_true(scp03_unwrap(&watched.bench.scp03, watched.bench.sw, watched.bench.data,
                                 &watched.bench.length));
    }
}

static void send_secured(const char *text)
{
    uint8_t bytes[BENCH_APDU_MAX];
    const size_t length = bench_bytes(text, bytes, sizeof bytes);

    send_command(&(struct command){bytes[0], bytes[1], bytes[2], bytes[3], bytes + 5,
                                   length > 5 ? bytes[4] : 0, 256});
}

static void put_key(const char *old_version, bool right)
{
    uint8_t version;
    struct bytes data = {0};

    bench_bytes(old_version, &version, 1);
    bench_key_data(&data, &bench_keys_card, 0x02, &new_set);
    data.data[data.length - 1] ^= (uint8_t)!right;
    send_command(&(struct command){0x80, 0xD8, version, 0x81, data.data, data.length, 256});
}

static void send_iso(const char *text)
{
    uint8_t bytes[BENCH_APDU_MAX];
    struct command command;
    struct bytes apdu, plain;

    assert_true(command_read(bytes, bench_bytes(text, bytes, sizeof bytes), &command));
    iso_wrap(&iso_session, &command, &apdu);
    watched_send(apdu.data, apdu.length);
    if (watched.forged == 0) {
        assert_true(iso_unwrap(&iso_session, false, watched.bench.data, watched.bench.length,
                               watched.bench.sw, &plain));
    }
}

static void open_scp03(bool right)
{
    static const uint8_t issuer[8] = {0xA0, 0x00, 0x00, 0x01, 0x51};
    static const uint8_t host[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct bench *bench = &watched.bench;
    struct problem problem;
    struct bytes apdu = {0};

    send_plain("80500100 08 0102030405060708 00");
    if (watched.forged != 0 && bench->sw != 0x9000) {
        return;
    }
    assert_int_equal(scp03_begin(&bench->scp03, &bench_keys_card, 0x01,
                                 (struct part){issuer, sizeof issuer},
                                 (struct part){host, sizeof host},
                                 (struct part){bench->data, bench->length}, &problem),
                     DONE);
    assert_true(scp03_authenticate(&bench->scp03, 0x33, &apdu));
    apdu.data[5] ^= (uint8_t)!right;
    watched_send(apdu.data, apdu.length);
}

static void authenticate(void)
{
    uint8_t apdu[5 + 16] = {0x00, 0x82, 0x00, 0x83, 16};

    assert_true(
        crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, watched.bench.data, 16, apdu + 5));
    watched_send(apdu, sizeof apdu);
}

static void open_mutual(void)
{
    static const uint8_t rnd_ifd[16] = {0x78, 0x17, 0x23, 0x86}, k_ifd[16] = {0x0B, 0x79, 0x52};
    uint8_t rnd_ic[16], keys[32];
    struct command command = {.ins = 0x82, .p2 = 0x87, .ne = 256};
    struct bytes data = {0}, apdu = {0};

    bench_bytes(MUTUAL, keys, sizeof keys);
    iso_session = (struct iso_sm){.aes = true, .key_length = 16};
    memcpy(iso_session.enc, keys, 16);
    memcpy(iso_session.mac, keys + 16, 16);
    memcpy(rnd_ic, watched.bench.data, 16);
    iso_challenge(&iso_session, rnd_ifd, rnd_ic, k_ifd, &data);
    command.data = data.data;
    command.nc = data.length;
    assert_true(command_write(&command, &apdu));
    watched_send(apdu.data, apdu.length);
    if (watched.forged == 0) {
        assert_true(iso_accept(&iso_session, rnd_ifd, rnd_ic, k_ifd, watched.bench.data,
                               watched.bench.length));
    }
}

static void run(const struct row *row)
{
    watched.frames = 0;
    watched.line_length = 0;
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
    case PUT_KEY:
    case PUT_KEY_WRONG:
        put_key(row->apdu, row->how == PUT_KEY);
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

/* ---- The tests ---- */

static struct gate_snapshot before, after;
static unsigned long lost;

/* The command as it was, but at its n-th frame somebody forges one. */
static void lose_session(const struct row *row, const struct iso_sm *iso, unsigned frame)
{
    gate_snapshot_restore(&watched.bench, &before);
    iso_session = *iso;
    watched.forged = frame;
    run(row);
    if (watched.bench.sw != 0x6F00 || watched.bench.secure.gate.open) {
        fail_msg("%s, session lost: %04X", row->what, watched.bench.sw);
    }
    watched_search(&hunt, row->what);
    watched.forged = 0;
    lost++;
}

static void try_row(const struct row *row)
{
    const struct iso_sm iso = iso_session;

    watched_keys();
    gate_snapshot_save(&watched.bench, &before);
    run(row);
    if (watched.bench.sw != row->sw) {
        fail_msg("%s: %04X", row->what, watched.bench.sw);
    }
    watched_search(&hunt, row->what);
    const unsigned frames = watched.frames;
    const struct iso_sm iso_after = iso_session;
    gate_snapshot_save(&watched.bench, &after);
    for (unsigned frame = 1; frame <= frames; frame++) {
        lose_session(row, &iso, frame);
    }
    gate_snapshot_restore(&watched.bench, &after);
    iso_session = iso_after;
}

static void no_command_leaves_a_secret(void **state)
{
    (void)state;
    list_secrets();
    bench_make(&watched.bench, &bench_host);
    bench_select(&watched.bench);
    watched.bench.tap = watched_line;
    watched.bench.secure.tested = 0xFF; /* messages of known answers look like PINs */
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        try_row(&rows[i]);
    }
    print_message("# %zu commands, and each again with the gate's session lost at each of its "
                  "frames, %lu times: none of %zu secrets left\n",
                  CARD_COUNT(rows), lost, CARD_COUNT(known) + 9);
    bench_free(&watched.bench);
    gate_snapshot_free(&before);
    gate_snapshot_free(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_command_leaves_a_secret)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
