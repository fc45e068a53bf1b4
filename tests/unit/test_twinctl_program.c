/* SPDX-License-Identifier: Apache-2.0
 *
 * The built program twinctl from outside: command line, exit status, one line on stderr; what the
 * factory steps leave in the NVM files; and cards that answer nonsense.
 */
#include "program_helpers.h"
#include "twinctl/bytes.h"
#include "twinctl/crypto.h"

#include <sys/socket.h>
#include <sys/un.h>

/* Nothing of this reaches a card, or makes a file: the folder is empty afterwards. */
static void errors_of_usage_and_environment(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[ARGUMENTS];
        const char *says;
    } cases[] = {
        {{NULL}, "no command"},
        {{"--json", NULL}, "no command"},
        {{"fly"}, "unknown command fly"},
        {{"--fly", "info"}, "unknown option --fly"},
        {{"-x", "info"}, "unknown option -x"},
        {{"info", "--card"}, "--card needs a value"},
        {{"--json=1", "info"}, "unknown option --json=1"},
        {{"info"}, "which card?"},
        {{"pack", "--keys", "/nowhere"}, "/nowhere"},
        {{"info", "--card", "a", "--socket", "b"}, "only one of"},
        {{"info", "--socket", "b", "--reader", "c"}, "only one of"},
        {{"info", "--card", "nowhere"}, "nowhere holds no card"},
        {{"info", "--socket", "nowhere"}, "No such file"},
        {{"info", "--card", "nowhere", "more"}, "does not take the argument more"},
        {{"info", "--card", "nowhere", "--pin", "1"}, "does not take one of these options"},
        {{"lock", "--alter", "--card", "nowhere"}, "does not take one of these options"},
        {{"local", "--system", "A", "--remote-3des", "--card", "x"}, "does not take one"},
        {{"make"}, "make needs one DIR"},
        {{"make", "a", "b"}, "make needs one DIR"},
        {{"make", "a", "--card", "b"}, "make needs one DIR"},
        {{"fabricate", "--socket", "b"}, "fabricate needs one DIR"},
        {{"embed", "a", "--socket", "b"}, "embed needs one DIR"},
        {{"fabricate", "nowhere/deeper"}, "nowhere/deeper"},
        {{"make", "/dev/null/card"}, "/dev/null/card"},
        {{"lock", "--card", "nowhere"}, "key file nowhere/keys"},
        {{"lock", "--socket", "nowhere"}, "which key file?"},
        {{"remote", "--socket", "nowhere", "--keys", "none"}, "key file none"},
        {{"local", "--card", "nowhere", "--system", "A"}, "key file nowhere/keys"},
        {{"apdu", "--card", "nowhere"}, "at least one APDU"},
        {{"apdu", "--card", "nowhere", "0"}, "not an APDU"},
        {{"apdu", "--card", "nowhere", "00"}, "not an APDU"},
        {{"apdu", "--card", "nowhere", "00A40400", "00A4040G"}, "00A4040G is not an APDU"},
        {{"apdu", "--socket", "nowhere", "00A40400"}, "No such file"},
        {{"apdu", "--card", "nowhere", "--issuer", "00A40400", "00B000000000"},
         "00B000000000 is not a short command APDU"},
        {{"apdu", "--card", "nowhere", "--issuer", "00A40400"}, "key file nowhere/keys"},
        {{"apdu", "--socket", "nowhere", "--issuer", "00A40400"}, "which key file?"},
        {{"info", "--card", "nowhere", "--issuer"}, "does not take one of these options"},
        {{"info", "--card", "nowhere", "--level", "33"}, "does not take one of these options"},
        {{"apdu", "--card", "nowhere", "--level", "33", "00A40400"}, "--level goes with --issuer"},
        {{"apdu", "--card", "nowhere", "--issuer", "--level", "3", "00A40400"}, "--level goes"},
        {{"apdu", "--card", "nowhere", "--issuer", "--level", "00", "00A40400"}, "--level goes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct result r = run(cases[i].arguments);
        const char *name = cases[i].says;
        assert_case(r.status == 2, "%s: exit status %d", name, r.status);
        assert_case(is_one_line(r.err), "%s: %s", name, r.err);
        assert_case(strncmp(r.err, "twinctl: ", 9) == 0, "%s: %s", name, r.err);
        assert_case(strstr(r.err, name) != NULL, "%s: %s", name, r.err);
    }
    print_message("# %zu errors of usage and environment\n", sizeof cases / sizeof cases[0]);
}

static void help_is_no_error(void **state)
{
    (void)state;
    struct result r = RUN("--help");
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    assert_non_null(strstr(r.out, "personalize"));
    assert_non_null(strstr(r.out, "Exit status"));
}

static void trouble_for_machines(void **state)
{
    (void)state;
    struct result r = RUN("--json", "--card", "nowhere", "info");
    assert_int_equal(r.status, 2);
    assert_true(is_one_line(r.err));
    assert_non_null(strstr(r.out, "\"status\": \"trouble\""));
    assert_non_null(strstr(r.out, "\"sw\": null"));
    assert_non_null(strstr(r.out, "nowhere holds no card"));
}

/* ---- Steps 1 and 2 ---- */

static void read_file(const char *name, uint8_t *data, size_t size)
{
    struct stat status;
    int file = open(name, O_RDONLY);
    assert_true(file >= 0 && fstat(file, &status) == 0);
    assert_case((size_t)status.st_size == size, "%s: %jd bytes", name, (intmax_t)status.st_size);
    assert_case((status.st_mode & 07777) == 0600, "%s", name);
    assert_int_equal(read(file, data, size), size);
    close(file);
}

static void check_erased(const uint8_t *data, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        assert_case(data[i] == 0xFF, "byte %zu", i);
    }
}

static void check_mac(const uint8_t *record, size_t from, size_t to)
{
    uint8_t mac[16];
    assert_true(crypto_cmac(record + 13, 16, record + from, to - from, mac));
    assert_memory_equal(record + to, mac, sizeof mac);
}

/* docs/formats.md, "Fab records". */
static void factory_steps(void **state)
{
    (void)state;
    static uint8_t secure[32768], again[32768], app[65536];
    char twincard[PATH_MAX];
    uint8_t digest[32], serial[8];

    struct result r = RUN("embed", "chip");
    assert_int_equal(r.status, 2); /* no key file */
    assert_int_equal(RUN("fabricate", "chip").status, 0);
    read_file("chip/secure.nvm", secure, sizeof secure);
    read_file("chip/app.nvm", app, sizeof app);
    assert_memory_equal(secure, "TCSF\x01", 5);
    memcpy(serial, secure + 5, sizeof serial);
    check_mac(secure, 0, 37);
    check_erased(secure, 53, sizeof secure);
    assert_memory_equal(app, "TCAF\x01", 5);
    uint32_t crc = crc32_of(app, 29);
    assert_memory_equal(app + 29,
                        ((uint8_t[]){(uint8_t)(crc >> 24), (uint8_t)(crc >> 16),
                                     (uint8_t)(crc >> 8), (uint8_t)crc}),
                        4);
    check_erased(app, 33, sizeof app);
    assert_memory_not_equal(app + 13, secure + 13, 16);

    r = RUN("fabricate", "chip"); /* done already, nothing changes */
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "already"));
    read_file("chip/secure.nvm", again, sizeof again);
    assert_memory_equal(again, secure, sizeof secure);

    assert_int_equal(RUN("embed", "--card", "chip").status, 0);
    read_file("chip/secure.nvm", again, sizeof again);
    assert_memory_equal(again, secure, 64);
    assert_memory_equal(again + 64, "TCSE", 4);
    snprintf(twincard, sizeof twincard, "%.*s/twincard", (int)(strrchr(program, '/') - program),
             program);
    assert_true(crypto_sha256_file(twincard, digest));
    assert_memory_equal(again + 74, digest, sizeof digest);
    check_mac(again, 64, 106);
    check_erased(again, 122, sizeof again);

    r = RUN("embed", "chip");
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "already"));
    r = RUN("fabricate", "chip"); /* the card is past it */
    assert_int_equal(r.status, 1);
    assert_true(is_one_line(r.err));
    assert_non_null(strstr(r.err, "out of order"));
    remove_card("chip");

    assert_int_equal(RUN("fabricate", "chip").status, 0);
    read_file("chip/secure.nvm", again, sizeof again);
    assert_memory_not_equal(again + 5, serial, sizeof serial);
    remove_card("chip");
}

/* A cut while the record was written: part of it, then erased bytes. */
static void a_torn_embedding_is_written_again(void **state)
{
    (void)state;
    static uint8_t whole[32768], again[32768];
    assert_int_equal(RUN("fabricate", "chip").status, 0);
    assert_int_equal(RUN("embed", "chip").status, 0);
    read_file("chip/secure.nvm", whole, sizeof whole);
    for (size_t at = 64; at < 122; at += 19) {
        int file = open("chip/secure.nvm", O_WRONLY);
        memset(again, 0xFF, sizeof again);
        assert_int_equal(pwrite(file, again, 122 - at, (off_t)at), 122 - at);
        close(file);
        struct result r = RUN("embed", "chip");
        assert_int_equal(r.status, 0);
        assert_null(strstr(r.out, "already"));
        read_file("chip/secure.nvm", again, sizeof again);
        assert_memory_equal(again, whole, sizeof whole);
    }
    remove_card("chip");
}

/* ---- Commands of the issuer ---- */

/* Under secure messaging a file is made that everybody may read; without it nobody may. */
static void the_issuer_sends_commands(void **state)
{
    (void)state;
    static const char select[] = "00A4040C09F05457494E434F5301",
                      create[] = "00E0000012621082010183025120800200048C0303C000",
                      update[] = "00D6000002AABB", read[] = "00B0000000";
    assert_int_equal(RUN("make", "chip").status, 0);
    assert_string_equal(RUN("--card", "chip", "apdu", select, create).out, "9000\n6982\n");
    assert_string_equal(RUN("--card", "chip", "apdu", "--issuer", select, create, update, read).out,
                        "9000\n9000\n9000\nAABB0000 9000\n");
    assert_string_equal(RUN("--card", "chip", "apdu", select, "00A4020C025120", read, update).out,
                        "9000\n9000\nAABB0000 9000\n6982\n");
    static const char *const levels[] = {"01", "03", "11", "13", "33"};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        assert_string_equal(RUN("--card", "chip", "apdu", "--issuer", "--level", levels[i], select,
                                "00A4020C025120", read, "00A4020C021234")
                                .out,
                            "9000\n9000\nAABB0000 9000\n6A82\n");
    }
    assert_int_equal(RUN("--card", "chip", "apdu", "--issuer", "--level", "32", read).status, 1);
    assert_string_equal(RUN("make", "other").err, "");
    struct result r = RUN("--card", "chip", "--keys", "other/keys", "apdu", "--issuer", select);
    assert_int_equal(r.status, 1);
    assert_true(is_one_line(r.err));
    assert_string_equal(r.out, "");
    remove_card("chip");
    remove_card("other");
}

/* ---- Cards that answer nonsense ---- */

/* Takes one connection, swallows power on and the request for the ATR, sends `answers` (ATR and
 * response as they are on the wire) and ends. */
static pid_t serve(const uint8_t *answers, size_t length)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "card"};
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (const struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(listening, 1), 0);
    pid_t child = fork();
    if (child == 0) {
        uint8_t request[6 + 2 + 4];
        int client = accept(listening, NULL, NULL);
        ssize_t n = recv(client, request, 6, MSG_WAITALL);
        n += send(client, answers, length, MSG_NOSIGNAL);
        shutdown(client, SHUT_WR);
        while (n > 0) {
            n = recv(client, request, sizeof request, 0);
        }
        _exit(0);
    }
    close(listening);
    return child;
}

static void nonsense_from_a_card(void **state)
{
    (void)state;
#define ATR "0002 3B00 "
    static const struct {
        const char *answers;
        int status;
        const char *says; /* stdout if the status is 0 */
    } cases[] = {
        {ATR "0002 9000", 0, "9000\n"},
        {ATR "0004 AB01 6282", 0, "AB01 6282\n"},
        {"", 2, "went away"},
        {"00", 2, "went away"},
        {"0002 3B", 2, "went away"},
        {"0000", 2, "answer to reset"},
        {"0001 3B", 2, "answer to reset"},
        {"0022 3B000000000000000000000000000000000000000000000000000000000000000000", 2,
         "answer to reset"},
        {ATR, 2, "went away"},
        {ATR "0000", 2, "no status word"},
        {ATR "0001 90", 2, "no status word"},
        {ATR "0003 9000", 2, "went away"},
        {ATR "FFFF 9000", 2, "went away"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t answers[64];
        size_t length = 0;
        int status = 0;
        assert_true(hex_read(cases[i].answers, answers, sizeof answers, &length));
        pid_t card = serve(answers, length);
        struct result r = RUN("apdu", "--socket", "card", "00A40400");
        assert_int_equal(waitpid(card, &status, 0), card);
        assert_int_equal(unlink("card"), 0);
        assert_case(r.status == cases[i].status, "%s: %d %s", cases[i].answers, r.status, r.err);
        if (r.status == 0) {
            assert_string_equal(r.out, cases[i].says);
        } else {
            assert_case(is_one_line(r.err) && strstr(r.err, cases[i].says) != NULL, "%s: %s",
                        cases[i].answers, r.err);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_usage_and_environment),
        cmocka_unit_test(help_is_no_error),
        cmocka_unit_test(trouble_for_machines),
        cmocka_unit_test(factory_steps),
        cmocka_unit_test(a_torn_embedding_is_written_again),
        cmocka_unit_test(the_issuer_sends_commands),
        cmocka_unit_test(nonsense_from_a_card),
    };
    return cmocka_run_group_tests(tests, find_program, remove_folder);
}
