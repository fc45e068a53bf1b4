/* SPDX-License-Identifier: Apache-2.0 */
#include "watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

/* ---- Sending on a stack of its own ---- */

struct watched watched;

#ifdef __SANITIZE_ADDRESS__
enum { OWN_STACK = 0 }; /* the sanitizer has its own ideas about stacks */
#else
enum { OWN_STACK = 1 };
#endif
static uint8_t stack[1 << 17];
static ucontext_t here, there;

static void command_and_settle(void)
{
    watched.length = cos_app_command(&watched.bench.app, watched.command, watched.length,
                                     watched.response, sizeof watched.response);
    cos_app_settle(&watched.bench.app);
}

void watched_send(const uint8_t *apdu, size_t length)
{
    struct bench *bench = &watched.bench;

    assert_true(length <= sizeof watched.command);
    memcpy(watched.command, apdu, length);
    watched.length = length;
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
    assert_true(watched.length >= 2);
    bench->length = watched.length - 2;
    memcpy(bench->data, watched.response, bench->length);
    bench->sw = cos_get16(watched.response + bench->length);
}

/* Whoever is on the line changes one frame, and its CRC with it. */
unsigned watched_line(void *context, bool to_secure, uint8_t *frame, size_t *length)
{
    (void)context;
    if (to_secure && ++watched.frames == watched.forged) {
        frame[*length - FRAME_CRC - 1] ^= 1;
        cos_put32(frame + *length - FRAME_CRC, cos_crc32(0, frame, *length - FRAME_CRC));
    }
    if (watched.line_length + *length <= sizeof watched.line) {
        memcpy(watched.line + watched.line_length, frame, *length);
        watched.line_length += *length;
    }
    return 1;
}

/* ---- Searching ---- */

/* Session keys and the storage key, as they stand in memory. */
static struct hunt keys;

void watched_keys(void)
{
    static const uint8_t none[16];
    const struct cos_secure *secure = &watched.bench.secure;
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
        fail_msg("%s%s: %s lies in %s", row, watched.forged != 0 ? ", session lost" : "", found,
                 place);
    }
}

static void search_outside(const struct hunt *what, const char *row)
{
    const struct bench *bench = &watched.bench;

    search(what, row, "the response buffer", bench->response_buffer, sizeof bench->response_buffer);
    search(what, row, "the command buffer", watched.command, sizeof watched.command);
    search(what, row, "the line", watched.line, watched.line_length);
    search(what, row, "the stack", stack, sizeof stack);
    if (!bench->app.chain.open) {
        search(what, row, "the chain's buffer", bench->chain_buffer, sizeof bench->chain_buffer);
    }
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

    secure = watched.bench.secure;
    app = watched.bench.app;
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
    if (secure.held.kept != 0) {
        memset(secure.held.data, 0, sizeof secure.held.data);
    }
    if (secure.life_cycle != COS_LIFE_TERMINATED) {
        memset(secure.storage_key, 0, sizeof secure.storage_key);
    }
    search(what, row, "the app chip's memory", (const uint8_t *)&app, sizeof app);
    search(what, row, "the security chip's memory", (const uint8_t *)&secure, sizeof secure);
}

void watched_search(const struct hunt *secrets, const char *row)
{
    const struct sim_nvm *app = &watched.bench.app_nvm, *secure = &watched.bench.secure_nvm;
    static const uint8_t none[BENCH_KEY_MEMORY];

    search_outside(secrets, row);
    search_chips(secrets, row);
    search(secrets, row, "the app chip's NVM", app->cells, app->nvm.geometry.size);
    search(secrets, row, "the security chip's NVM", secure->cells, secure->nvm.geometry.size);
    search_outside(&keys, row); /* those from before the command */
    search_chips(&keys, row);
    search(&keys, row, "the app chip's NVM", app->cells, app->nvm.geometry.size);
    if (watched.bench.secure.waiting == 0) {
        assert_memory_equal(watched.bench.key_memory, none, sizeof none); /* keys made here, too */
    }
}
