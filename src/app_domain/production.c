/* SPDX-License-Identifier: Apache-2.0
 *
 * PRODUCTION STEP: steps 3 to 6 of the life cycle (docs/formats.md, "Production steps"). The
 * security chip decides; in step 3 this chip tests the contacts and the link, and takes its half of
 * the pairing.
 */
#include "domain.h"

enum {
    STEP_PACK = 3,
    STEP_PERSONALIZE = 6,
    P2_COMPLETE = 1,
    P2_TEST = 2,
    CONTACTS_ALL = 0xFF,
    LINK_TEST_FRAMES = 16,
    TOKEN_MAX = 128,
};

/* The eight contacts, and how many of 16 status calls pass the link, there and back, at once. */
static enum cos_result test_module(struct cos_app *app, uint8_t *contacts, uint8_t *frames)
{
    const struct cos_contacts *port = app->board->contacts;
    struct cos_gate_status status;

    COS_TRY(port->test(port->context, contacts));
    *frames = 0;
    for (unsigned i = 0; i < LINK_TEST_FRAMES; i++) {
        const uint8_t repeats = app->gate.repeats;
        if (cos_gate_status(&app->gate, &status) == COS_OK && app->gate.repeats == repeats) {
            (*frames)++;
        }
    }
    return COS_OK;
}

/* Takes the pairing secret over, and proves it: the first HELLO under it completes the step in the
 * security chip. */
static enum cos_result pair(struct cos_app *app, struct cos_span wrapped)
{
    uint8_t key[16], secret[COS_PAIRING_SECRET];
    struct cos_gate_status status;

    COS_CHECK(wrapped.length == 1 + COS_PAIRING_SECRET + COS_CCM_TAG, COS_E_GATE_FORMAT);
    const uint8_t generation = wrapped.data[0];
    COS_TRY(cos_app_transport_key(app, key));
    enum cos_result result =
        cos_gate_unwrap_pairing(app->config.crypto, key, wrapped.data + 1, generation, secret);
    cos_wipe(key, sizeof key);
    /* The terminal gave the wrong key for this chip: its data are wrong, nothing else is. */
    COS_CHECK(result != COS_E_GATE_SESSION, COS_E_DATA);
    if (result == COS_OK) {
        result = cos_app_store_pairing(app, generation, secret);
    }
    cos_wipe(secret, sizeof secret);
    COS_TRY(result);
    COS_TRY(cos_app_hello(app));
    COS_TRY(cos_app_refresh(app, &status));
    return cos_app_erase_fab(app);
}

static enum cos_result pack(struct exchange *x)
{
    struct cos_app *app = x->app;
    uint8_t fields[] = {COS_LIFE_STEP, STEP_PACK, 0, 0};
    struct cos_span wrapped;

    COS_TRY(test_module(app, &fields[2], &fields[3]));
    COS_CHECK(fields[2] == CONTACTS_ALL && fields[3] == LINK_TEST_FRAMES, COS_E_EXECUTION);
    COS_TRY(
        cos_app_ask(app, COS_GATE_LIFE, fields, sizeof fields, cos_app_command_data(x), &wrapped));
    COS_TRY(pair(app, wrapped));
    cos_write8(x->body, fields[2]);
    cos_write8(x->body, fields[3]);
    return COS_OK;
}

/* What is wrong with a module that step 3 refused. */
static enum cos_result test_only(struct exchange *x)
{
    uint8_t results[2];

    COS_CHECK(x->command.p1 == STEP_PACK, COS_E_P1_P2);
    COS_CHECK(x->command.nc == 0, COS_E_LENGTH);
    COS_CHECK(x->app->life_cycle == COS_LIFE_FABRICATED, COS_E_CONDITIONS);
    COS_TRY(test_module(x->app, &results[0], &results[1]));
    cos_write_bytes(x->body, results, sizeof results);
    return COS_OK;
}

static enum cos_result complete(struct exchange *x, uint8_t step)
{
    const uint8_t fields[] = {COS_LIFE_STEP, step, 0, 0};
    struct cos_gate_status status;

    COS_TRY(cos_app_hand_on(x, COS_GATE_LIFE, fields, sizeof fields, cos_app_command_data(x)));
    return cos_app_refresh(x->app, &status);
}

enum cos_result cos_app_production_step(struct exchange *x)
{
    const uint8_t step = x->command.p1;
    const uint8_t challenge[] = {COS_LIFE_CHALLENGE, step};

    COS_CHECK(step >= STEP_PACK && step <= STEP_PERSONALIZE, COS_E_P1_P2);
    if (x->command.p2 == P2_TEST) {
        return test_only(x);
    }
    COS_CHECK(x->command.p2 <= P2_COMPLETE, COS_E_P1_P2);
    if (x->command.p2 == 0) {
        COS_CHECK(x->command.nc == 0, COS_E_LENGTH);
        return cos_app_hand_on(x, COS_GATE_LIFE, challenge, sizeof challenge,
                               (struct cos_span){NULL, 0});
    }
    COS_CHECK(x->command.nc != 0 && x->command.nc <= TOKEN_MAX && !x->held, COS_E_LENGTH);
    /* The test of the link would use up the challenge's command: it is part of the completion. */
    if (step == STEP_PACK && x->app->life_cycle == COS_LIFE_FABRICATED) {
        return pack(x);
    }
    return complete(x, step);
}
