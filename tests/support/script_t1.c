/* SPDX-License-Identifier: Apache-2.0 */
#include "script_t1.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* So many bytes of this value stand behind the command buffer, and stay there. */
enum { GUARD = 0xE5 };

static const struct script_step *current(const struct script *script)
{
    return script->step < script->count ? &script->steps[script->step] : NULL;
}

static bool cut(struct script *script)
{
    if (script->left == SIZE_MAX) {
        return false;
    }
    return script->left == 0 || script->left-- == 0;
}

static enum cos_result line_send(void *context, uint8_t character, uint32_t etus)
{
    struct script *script = context;
    const struct script_step *step = current(script);

    if (cut(script)) {
        return COS_E_LINE_RESET;
    }
    if (step != NULL && !step->card && script->at == step->length) {
        step = &script->steps[++script->step];
        script->at = 0;
    }
    if (step == NULL || script->step == script->count || !step->card) {
        fail_msg("step %zu: the card sends %02X, the device has not said all", script->step,
                 character);
        abort();
    }
    if (character != step->bytes[script->at] || etus != (script->at == 0 ? 22 : 0)) {
        fail_msg("step %zu, character %zu: %02X after %u etu, expected %02X", script->step,
                 script->at, character, (unsigned)etus, step->bytes[script->at]);
    }
    if (++script->at == step->length) {
        script->step++;
        script->at = 0;
    }
    return COS_OK;
}

static enum cos_result line_receive(void *context, uint8_t *character, uint32_t etus)
{
    struct script *script = context;
    const struct script_step *step = current(script);
    size_t at = script->at;

    if (cut(script) || step == NULL) {
        return COS_E_LINE_RESET;
    }
    if (step->card) {
        fail_msg("step %zu, character %zu: the card is silent", script->step, at);
    }
    if (at == step->length) {
        assert_int_not_equal(etus, 0);
        script->silence = etus;
        return COS_E_LINE_SILENT;
    }
    if (at != 0) {
        assert_int_equal(etus, script->t1.cwt);
    }
    *character = step->bytes[at];
    script->at++;
    return at == step->bad ? COS_E_LINE_PARITY : COS_OK;
}

static void line_set(void *context, const struct cos_line_parameters *parameters)
{
    (void)context;
    (void)parameters;
    fail_msg("T=1 does not set the line");
}

static uint32_t line_elapsed(void *context)
{
    (void)context;
    return 0;
}

void script_start(struct script *script)
{
    memset(script, 0, sizeof *script);
    script->parameters = (struct cos_t1_parameters){
        .edc = COS_T1_LRC, .ifsc = 0xFE, .bwi = 4, .cwi = 13, .f = 372, .d = 1};
    script->line = (struct cos_line){script, line_set, line_send, line_receive, line_elapsed};
    script->capacity = sizeof script->command;
    script->left = SIZE_MAX;
}

void script_add_block(struct script *script, bool card, const uint8_t *bytes, size_t length)
{
    struct script_step *step = &script->steps[script->count++];

    assert_true(script->count <= sizeof script->steps / sizeof script->steps[0]);
    assert_true(length <= sizeof step->bytes);
    *step = (struct script_step){.card = card, .length = length, .bad = SIZE_MAX};
    memcpy(step->bytes, bytes, length);
}

static uint8_t xor_of(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++) {
        sum ^= bytes[i];
    }
    return sum;
}

static size_t hexadecimal(const char **text, uint8_t *bytes)
{
    size_t length = 0;
    unsigned value;

    while (isxdigit((unsigned char)**text) && sscanf(*text, "%2X", &value) == 1) {
        bytes[length++] = (uint8_t)value;
        *text += 2;
    }
    return length;
}

void script_add(struct script *script, const char *text)
{
    while (*text != '\0') {
        uint8_t bytes[300];
        size_t length;
        bool card = text[0] == 'c';
        char mark;

        assert_true((card || text[0] == 'd') && text[1] == ':');
        text += 2;
        length = hexadecimal(&text, bytes);
        mark = *text;
        if (mark != '~') {
            bytes[length] = (uint8_t)(xor_of(bytes, length) ^ (mark == '!' ? 0x10 : 0));
            length++;
        }
        script_add_block(script, card, bytes, length);
        if (mark == '%') {
            script->steps[script->count - 1].bad = strtoul(text + 1, NULL, 10);
        }
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
}

static struct cos_span answer(const struct script *script)
{
    size_t n = script->commands - 1;

    if (n < sizeof script->responses / sizeof script->responses[0] &&
        script->responses[n].data != NULL) {
        return script->responses[n];
    }
    return (struct cos_span){script->command, script->length};
}

/* Until the line is reset, which it is at the end of the script. */
static void run(struct script *script)
{
    static const uint8_t wrong_length[2] = {0x67, 0x00};
    uint8_t buffer[sizeof script->command + GUARD];

    memset(buffer, GUARD, sizeof buffer);
    for (;;) {
        struct cos_span response;
        enum cos_result result =
            cos_t1_receive(&script->t1, &script->line, buffer, script->capacity, &script->length);
        for (size_t i = script->capacity; i < script->capacity + GUARD; i++) {
            assert_int_equal(buffer[i], GUARD);
        }
        if (result == COS_E_LINE_RESET) {
            return;
        }
        if (result == COS_E_LENGTH) {
            script->too_long++;
            response = (struct cos_span){wrong_length, sizeof wrong_length};
        } else {
            assert_int_equal(result, COS_OK);
            script->commands++;
            memcpy(script->command, buffer, script->length);
            response = answer(script);
            if (script->multiplier != 0 &&
                cos_t1_extend(&script->t1, &script->line, script->multiplier) != COS_OK) {
                return;
            }
        }
        if (cos_t1_send(&script->t1, &script->line, response.data, response.length) != COS_OK) {
            return;
        }
    }
}

static void assert_over(const struct script *script)
{
    if (script->step != script->count) {
        fail_msg("step %zu of %zu was not reached", script->step, script->count);
    }
}

void script_play(struct script *script)
{
    assert_int_equal(cos_t1_start(&script->t1, &script->parameters), COS_OK);
    run(script);
    assert_over(script);
}

void script_continue(struct script *script, const char *text)
{
    script->count = script->step = script->at = 0;
    script_add(script, text);
    run(script);
    assert_over(script);
}

bool script_cut(struct script *script, size_t calls)
{
    script->step = script->at = 0;
    script->commands = 0;
    script->left = calls;
    assert_int_equal(cos_t1_start(&script->t1, &script->parameters), COS_OK);
    run(script);
    return script->step != script->count;
}
