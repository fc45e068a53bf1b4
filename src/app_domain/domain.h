/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the app domain share: one command under way, the table, and the ways to the
 * security chip.
 */
#ifndef COS_APP_DOMAIN_H
#define COS_APP_DOMAIN_H

#include "cos/app.h"

/* One command under way. */
struct exchange {
    struct cos_app *app;
    struct cos_command command;
    struct cos_class class_;
    bool secured;            /* opened by SM_OPEN; SM_SEAL follows */
    bool held;               /* its data stay in the security chip */
    struct cos_writer *body; /* response data */
};

typedef enum cos_result (*command_handler)(struct exchange *x);

enum command_class { COMMAND_ISO = 0x01, COMMAND_GP = 0x02 };
enum command_cases { COMMAND_WITHOUT_DATA = 0x01, COMMAND_WITH_DATA = 0x02, COMMAND_ANY = 0x03 };
enum command_secured { COMMAND_NO, COMMAND_MAY, COMMAND_MUST, COMMAND_OWN };

struct command_row {
    uint8_t classes, ins, p1_bits, p2_bits, cases, secured;
    uint16_t states;
    command_handler handler;
};

/* The row for class and instruction, NULL if there is none. */
const struct command_row *cos_app_find_command(bool proprietary, uint8_t ins);

/* ---- Handlers ---- */
#define COMMAND(name, text, classes, ins, p1, p2, p1p2, cases, states, secured, executor, handler, \
                clause)                                                                            \
    enum cos_result handler(struct exchange *x);
#include "commands.def"
#undef COMMAND

/* ---- Ways to the security chip (access.c) ---- */

/* A gate call whose request is `fields`, then `data`; *body lies in the client's buffer. */
enum cos_result cos_app_ask(struct cos_app *app, enum cos_gate_call call, const uint8_t *fields,
                            size_t fields_length, struct cos_span data, struct cos_span *body);
/* The same for a call whose answer becomes the response. */
enum cos_result cos_app_hand_on(struct exchange *x, enum cos_gate_call call, const uint8_t *fields,
                                size_t fields_length, struct cos_span data);
struct cos_span cos_app_command_data(const struct exchange *x);
/* COS_OK if the channel's security status satisfies the condition, a run of SC-DOs (cos/rule.h);
 * COS_E_SECURITY_STATUS. What every reader can see (always, never) asks nobody. */
enum cos_result cos_app_require_condition(struct cos_app *app, const uint8_t *condition,
                                          size_t length);
/* The same for an operation on a file under its rule, by the command that is under way; for one on
 * its data object `tag`. */
enum cos_result cos_app_require(struct exchange *x, const struct cos_file_info *info,
                                enum cos_operation operation);
enum cos_result cos_app_require_object(struct exchange *x, const struct cos_file_info *info,
                                       enum cos_operation operation, uint32_t tag);
/* Asks STATUS and takes over the life cycle. */
enum cos_result cos_app_refresh(struct cos_app *app, struct cos_gate_status *status);
/* Binds the channel to the application that the current DF belongs to. */
enum cos_result cos_app_bind(struct cos_app *app);
/* "Under secure messaging" as a condition byte. */
#define CONDITION_SM 0xC0U

/* ---- Current file (select.c) ---- */

/* The current EF, or the one with the SFI (1 to 30), which becomes current. COS_E_NO_CURRENT_EF,
 * COS_E_FILE_NOT_FOUND. */
enum cos_result cos_app_use_ef(struct cos_app *app, uint8_t sfi, struct cos_file_info *info);
enum cos_result cos_app_set_df(struct cos_app *app, cos_file df);
void cos_app_set_ef(struct cos_app *app, cos_file ef);
/* Bytes that the response may have: Ne, or all if Le asks for the maximum or is absent. *all says
 * which. */
size_t cos_app_wanted(const struct exchange *x, bool *all);

/* ---- The chip's own NVM (start.c) ---- */

enum cos_result cos_app_erase_fab(const struct cos_app *app);
/* The app chip's transport key from the fab record. COS_E_CONDITIONS: there is none any more. */
enum cos_result cos_app_transport_key(const struct cos_app *app, uint8_t key[16]);
enum cos_result cos_app_store_pairing(struct cos_app *app, uint8_t generation,
                                      const uint8_t secret[COS_PAIRING_SECRET]);
/* Opens a session under the stored pairing secret. */
enum cos_result cos_app_hello(struct cos_app *app);
enum cos_result cos_app_store_atr(struct cos_app *app, const uint8_t *atr, size_t length);

#endif
