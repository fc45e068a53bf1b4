/* SPDX-License-Identifier: Apache-2.0 */
#include "slow_card.h"

#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { FRAME_RESPONSE = 2, FRAME_SIGN = 3, PPSS = 0xFF, IFSC = 254, CWI = 5 };

/* ---- Time ---- */

static uint32_t khz_of(const struct slow_setting *setting)
{
    return setting->khz != 0 ? setting->khz : cos_f_max(setting->fi_di);
}

static double etu_ms(const struct slow_setting *setting, uint8_t fi_di)
{
    return (double)cos_fi(fi_di) / cos_di(fi_di) / khz_of(setting);
}

/* WI * 960 * Fi / f (10.2), and 2^BWI * 960 * 372 / f (11.4.3). */
double slow_card_waiting_time(const struct slow_setting *setting)
{
    return setting->protocol == 0
               ? setting->waiting * 960.0 * cos_fi(setting->fi_di) / khz_of(setting)
               : (1U << setting->waiting) * 960.0 * 372 / khz_of(setting);
}

static uint64_t *clock_of(struct slow_card *card)
{
    return card->setting.protocol == 0 ? &card->terminal.now : &card->reader.sim.now;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Characters have passed since somebody looked at the clock. */
static void look(struct slow_card *card)
{
    const uint64_t line = *clock_of(card);

    card->now += (double)(line - card->seen) * card->etu;
    card->seen = line;
}

static void spend(struct slow_card *card, double ms)
{
    look(card);
    card->owed += ms / card->etu;
    const uint64_t whole = (uint64_t)card->owed;
    card->owed -= (double)whole;
    card->now += ms;
    *clock_of(card) += whole;
    card->seen = *clock_of(card);
}

static uint32_t app_clock(void *context)
{
    struct slow_card *card = context;

    look(card);
    return (uint32_t)card->now;
}

static uint32_t secure_clock(void *context)
{
    const struct slow_card *card = context;

    return (uint32_t)card->secure_now;
}

static void app_idle(void *context)
{
    struct slow_card *card = context;

    if (card->deaf == SLOW_DEAF || (card->deaf == SLOW_DEAF_IN_GATE && card->waits) ||
        (card->deaf == SLOW_DEAF_IN_MEMORY && !card->waits)) {
        return;
    }
    cos_transport_idle(&card->transport);
    look(card);
}

/* ---- Memory ---- */

static enum cos_result app_read(void *context, uint32_t address, uint8_t *data, size_t length)
{
    struct slow_card *card = context;
    const struct cos_nvm *nvm = &card->bench->app_nvm.nvm;

    spend(card, card->times.read);
    return nvm->read(nvm->context, address, data, length);
}

static enum cos_result app_program(void *context, uint32_t address, const uint8_t *data,
                                   size_t length)
{
    struct slow_card *card = context;
    const struct cos_nvm *nvm = &card->bench->app_nvm.nvm;

    spend(card, card->times.write);
    return nvm->program(nvm->context, address, data, length);
}

static enum cos_result app_erase(void *context, uint32_t address)
{
    struct slow_card *card = context;
    const struct cos_nvm *nvm = &card->bench->app_nvm.nvm;

    spend(card, card->times.write);
    return nvm->erase(nvm->context, address);
}

static enum cos_result secure_read(void *context, uint32_t address, uint8_t *data, size_t length)
{
    struct slow_card *card = context;
    const struct cos_nvm *nvm = &card->bench->secure_nvm.nvm;

    return nvm->read(nvm->context, address, data, length);
}

static enum cos_result secure_program(void *context, uint32_t address, const uint8_t *data,
                                      size_t length)
{
    struct slow_card *card = context;
    const struct cos_nvm *nvm = &card->bench->secure_nvm.nvm;

    card->secure_now += card->times.secure_write;
    return nvm->program(nvm->context, address, data, length);
}

static enum cos_result secure_erase(void *context, uint32_t address)
{
    struct slow_card *card = context;
    const struct cos_nvm *nvm = &card->bench->secure_nvm.nvm;

    card->secure_now += card->times.secure_write;
    return nvm->erase(nvm->context, address);
}

/* ---- Providers ---- */

static enum cos_result seal(void *context, const uint8_t *key, size_t key_length,
                            const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                            size_t associated_length, uint8_t *message, size_t length,
                            uint8_t tag[COS_CCM_TAG])
{
    struct slow_card *card = context;

    spend(card, card->times.seal);
    return cos_crypto_tomcrypt.aes_ccm_seal(NULL, key, key_length, nonce, associated,
                                            associated_length, message, length, tag);
}

static enum cos_result open(void *context, const uint8_t *key, size_t key_length,
                            const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                            size_t associated_length, uint8_t *message, size_t length,
                            uint8_t tag[COS_CCM_TAG])
{
    struct slow_card *card = context;

    spend(card, card->times.seal);
    return cos_crypto_tomcrypt.aes_ccm_open(NULL, key, key_length, nonce, associated,
                                            associated_length, message, length, tag);
}

/* The idle hook of the real key generation, each time of which takes a round. */
struct rounds {
    struct slow_card *card;
    const struct cos_random *random;
};

static void one_round(void *context)
{
    const struct rounds *rounds = context;

    rounds->card->secure_now += rounds->card->times.round;
    rounds->random->idle(rounds->random->idle_context);
}

static enum cos_result generate(void *context, const struct cos_random *random, size_t bits,
                                struct cos_span e, const struct cos_rsa_parts *key)
{
    struct slow_card *card = context;
    const struct cos_rsa_private *from = card->prepared;
    struct rounds rounds = {card, random};
    const size_t half = bits / 16;

    card->generated++;
    if (from == NULL) {
        struct cos_random slow = *random;
        slow.idle_context = &rounds;
        slow.idle = one_round;
        return cos_crypto_tomcrypt.rsa_generate(NULL, &slow, bits, e, key);
    }
    double left = card->times.generate;
    while (left > 0) {
        one_round(&rounds);
        left -= card->times.round;
    }
    assert_int_equal(card->modulus.length, bits / 8);
    memcpy(key->n, card->modulus.data, bits / 8);
    memcpy(key->p, from->p.data, half);
    memcpy(key->q, from->q.data, half);
    memcpy(key->dp, from->dp.data, half);
    memcpy(key->dq, from->dq.data, half);
    memcpy(key->qinv, from->qinv.data, half);
    return COS_OK;
}

/* ---- The link ---- */

static enum cos_result app_send(void *context, const uint8_t *frame, size_t length)
{
    struct slow_card *card = context;

    look(card);
    card->waits = true;
    if (!card->mute) {
        const size_t at = card->to_secure_count++;
        assert_true(at < SLOW_FRAMES);
        card->to_secure[at].at = card->now;
        card->to_secure[at].length = length;
        memcpy(card->to_secure[at].bytes, frame, length);
    }
    return COS_OK;
}

static enum cos_result secure_receive_frame(void *context, uint8_t *frame, size_t capacity,
                                            size_t *length, uint32_t timeout)
{
    struct slow_card *card = context;

    (void)timeout;
    COS_CHECK(card->to_secure_count != 0 && card->to_secure[0].length <= capacity,
              COS_E_LINK_TIMEOUT);
    card->secure_now = larger(card->secure_now, card->to_secure[0].at);
    *length = card->to_secure[0].length;
    memcpy(frame, card->to_secure[0].bytes, *length);
    card->to_secure_count--;
    memmove(card->to_secure, card->to_secure + 1,
            card->to_secure_count * sizeof card->to_secure[0]);
    return COS_OK;
}

static bool works_with_keys(uint8_t opcode)
{
    return opcode == COS_GATE_KEY || opcode == COS_GATE_CRYPT || opcode == COS_GATE_AUTH;
}

/* What was answered before is at hand. */
static enum cos_result secure_send(void *context, const uint8_t *frame, size_t length)
{
    struct slow_card *card = context;
    const size_t at = card->to_app_count++;

    assert_true(at < SLOW_FRAMES);
    if (frame[2] == FRAME_SIGN) {
        card->signs++;
    } else if (memcmp(card->answered, frame, 12) == 0) {
        card->repeated++;
    } else {
        card->secure_now += works_with_keys(frame[3]) ? card->times.key_answer : card->times.answer;
        memcpy(card->answered, frame, 12);
    }
    card->to_app[at].at = card->secure_now;
    card->to_app[at].length = length;
    memcpy(card->to_app[at].bytes, frame, length);
    return COS_OK;
}

/* The security chip does all that it can do with what it has got, in its own time. */
static enum cos_result app_receive(void *context, uint8_t *frame, size_t capacity, size_t *length,
                                   uint32_t timeout)
{
    struct slow_card *card = context;

    assert_int_not_equal(timeout, 0);
    look(card);
    while (card->to_secure_count != 0) {
        (void)cos_secure_serve(&card->bench->secure, 1);
    }
    if (card->to_app_count == 0 || card->to_app[0].at > card->now + timeout) {
        spend(card, timeout);
        return COS_E_LINK_TIMEOUT;
    }
    spend(card, larger(card->to_app[0].at - card->now, 0));
    assert_true(card->to_app[0].length <= capacity);
    *length = card->to_app[0].length;
    memcpy(frame, card->to_app[0].bytes, *length);
    card->to_app_count--;
    memmove(card->to_app, card->to_app + 1, card->to_app_count * sizeof card->to_app[0]);
    card->waits = frame[2] != FRAME_RESPONSE;
    return COS_OK;
}

/* ---- The card behind its contacts ---- */

static enum cos_t0_direction direction(void *context, const uint8_t header[5])
{
    (void)context;
    return cos_app_direction(header);
}

static size_t execute(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    struct slow_card *card = context;

    look(card);
    if (!card->on) { /* the start is part of the first command */
        (void)bench_power_on(card->bench);
        card->on = true;
    }
    length = cos_app_command(&card->bench->app, apdu, length, response, capacity);
    card->waits = false;
    return length;
}

static void settle(void *context)
{
    struct slow_card *card = context;
    look(card);
    const double began = card->now;

    cos_app_settle(&card->bench->app);
    const double part = (card->now - began) / slow_card_waiting_time(&card->setting);
    card->settled = larger(card->settled, part);
}

static void wire(struct slow_card *card)
{
    struct bench *bench = card->bench;

    card->app_nvm = bench->app_nvm.nvm;
    card->secure_nvm = bench->secure_nvm.nvm;
    card->app_nvm.context = card->secure_nvm.context = card;
    card->app_nvm.read = app_read;
    card->app_nvm.program = app_program;
    card->app_nvm.erase = app_erase;
    card->secure_nvm.read = secure_read;
    card->secure_nvm.program = secure_program;
    card->secure_nvm.erase = secure_erase;
    card->app_link = (struct cos_link){card, app_send, app_receive};
    card->secure_link = (struct cos_link){card, secure_send, secure_receive_frame};
    card->app_crypto = card->secure_crypto = cos_crypto_tomcrypt;
    card->app_crypto.context = card->secure_crypto.context = card;
    card->app_crypto.aes_ccm_seal = seal;
    card->app_crypto.aes_ccm_open = open;
    card->secure_crypto.rsa_generate = generate;
    bench->app_board.nvm = &card->app_nvm;
    bench->app_board.link = &card->app_link;
    bench->app_board.idle = app_idle;
    bench->secure_board.nvm = &card->secure_nvm;
    bench->secure_board.link = &card->secure_link;
    bench->app_board.context = bench->secure_board.context = card;
    bench->app_config.crypto = &card->app_crypto;
    bench->secure_config.crypto = &card->secure_crypto;
}

void slow_card_start(struct slow_card *card, struct bench *bench,
                     const struct slow_setting *setting, const struct slow_times *times)
{
    memset(card, 0, sizeof *card);
    card->bench = bench;
    card->setting = *setting;
    card->times = *times;
    card->clocks = true;
    wire(card);
}

void slow_card_end(struct slow_card *card)
{
    struct bench *bench = card->bench;

    bench->app_board.nvm = &bench->app_nvm.nvm;
    bench->app_board.link = &bench->app_link;
    bench->secure_board.nvm = &bench->secure_nvm.nvm;
    bench->secure_board.link = &bench->secure_link;
    bench->app_board.idle = NULL;
    bench->app_board.clock_ms = bench->secure_board.clock_ms = NULL;
    bench_use(bench, bench->crypto);
}

/* ---- The device ---- */

static struct cos_span next(void *context)
{
    struct slow_card *card = context;

    if (card->next == card->count) {
        return (struct cos_span){NULL, 0};
    }
    const size_t length = bench_bytes(card->apdus[card->next++], card->apdu, sizeof card->apdu);
    return (struct cos_span){card->apdu, length};
}

static void note(struct slow_card *card, const uint8_t *response, size_t length)
{
    if (card->done < CARD_COUNT(card->sw)) {
        card->sw[card->done] = cos_get16(response + length - 2);
    }
    card->done++;
}

static void done_t0(void *context, const uint8_t *response, size_t length)
{
    note(context, response, length);
}

static void done_t1(void *context, enum terminal_outcome outcome, struct cos_span response)
{
    struct slow_card *card = context;

    if (outcome == TERMINAL_DONE) {
        note(card, response.data, response.length);
    } else {
        card->next = card->count;
    }
}

static const struct cos_line *begin_t0(struct slow_card *card)
{
    terminal_t0_init(&card->terminal);
    card->terminal.context = card;
    card->terminal.next = next;
    card->terminal.done = done_t0;
    card->terminal.pps = card->pps;
    card->terminal.pps_length = sizeof card->pps;
    return &card->terminal.line;
}

static const struct cos_line *begin_t1(struct slow_card *card)
{
    const struct terminal_t1_config config = {.ifsc = IFSC,
                                              .bwi = card->setting.waiting,
                                              .cwi = CWI,
                                              .f = cos_fi(card->setting.fi_di),
                                              .d = cos_di(card->setting.fi_di),
                                              .ifsd = 254,
                                              .guard = 12,
                                              .delay = 22};

    reader_t1_start(&card->reader, &config, 1);
    card->reader.context = card;
    card->reader.next = next;
    card->reader.done = done_t1;
    card->reader.pps = card->pps;
    card->reader.pps_length = sizeof card->pps;
    return &card->reader.sim.card;
}

static void measure(struct slow_card *card)
{
    const struct terminal_t0 *t0 = &card->terminal;
    const struct terminal_t1 *t1 = &card->reader.terminal;
    double granted, longest;

    if (card->setting.protocol == 0) {
        card->kept = t0->end == TERMINAL_FINISHED && t0->wrong == NULL;
        card->extensions = t0->nulls;
        granted = (double)t0->waiting_time * t0->d;
        longest = (double)t0->longest;
    } else {
        card->kept = card->done == card->count && t1->repetitions == 0 &&
                     t1->resynchronisations == 0 && t1->resets == 0 && !card->reader.refused;
        card->extensions = t1->extensions;
        granted = (double)t1->bwt;
        longest = (double)card->reader.most_turn;
    }
    card->largest = larger(card->largest, longest / granted);
}

void slow_card_run(struct slow_card *card, const char *const *apdus, size_t count)
{
    static const uint16_t all[16] = {0x03FE, 0x03FE, 0x03FE, 0x03FE, 0x03FE, 0x03FE, 0x03FE, 0,
                                     0,      0x03FE, 0x03FE, 0x03FE, 0x03FE, 0x03FE, 0,      0};
    const uint8_t protocol = (uint8_t)card->setting.protocol, fi_di = card->setting.fi_di;
    const unsigned wait = protocol == 0 ? COS_ATR_TC2 : COS_ATR_BWI_CWI;
    struct cos_atr said = {.first = protocol, .offered = (uint8_t)(1U << protocol)};
    uint8_t atr[COS_ATR_MAX];

    said.present = COS_ATR_PRESENT(COS_ATR_TA1) | (uint16_t)COS_ATR_PRESENT(wait) |
                   (protocol == 1 ? COS_ATR_PRESENT(COS_ATR_IFSC) : 0);
    said.bytes[COS_ATR_TA1] = fi_di;
    said.bytes[COS_ATR_IFSC] = IFSC;
    said.bytes[wait] = card->setting.waiting;
    if (protocol == 1) {
        said.bytes[wait] = (uint8_t)(card->setting.waiting << 4 | CWI);
    }
    const size_t length = cos_atr_write(&said, atr, sizeof atr);
    assert_true(length != 0);
    const uint8_t pps[4] = {PPSS, 0x10 | protocol, fi_di,
                            (uint8_t)(PPSS ^ (0x10 | protocol) ^ fi_di)};
    memcpy(card->pps, pps, sizeof pps);
    card->config = (struct cos_transport_config){
        card->command, sizeof card->command, card->response, sizeof card->response, .pairs = all};
    card->handler = (struct cos_transport_handler){card, execute, direction, settle};
    card->apdus = apdus;
    card->count = count;
    card->next = card->done = 0;
    card->on = card->waits = false;
    card->to_app_count = card->to_secure_count = 0;
    card->etu = etu_ms(&card->setting, fi_di);
    card->bench->app_board.clock_ms = card->clocks ? app_clock : NULL;
    card->bench->secure_board.clock_ms = card->clocks ? secure_clock : NULL;
    const struct cos_line *line = protocol == 0 ? begin_t0(card) : begin_t1(card);
    card->seen = *clock_of(card);
    card->secure_now = card->now + card->times.start;
    cos_transport_start(&card->transport, &card->config);
    assert_int_equal(
        cos_transport_serve(&card->transport, line, &card->handler, (struct cos_span){atr, length}),
        COS_E_LINE_RESET);
    measure(card);
    bench_power_off(card->bench);
}
