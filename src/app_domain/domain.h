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
    uint16_t room;           /* for response data, if it is secured */
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

/* Name of the issuer security domain (GPCS 6.4.1). It has no DF of its own: selecting it selects
 * the MF. */
extern const uint8_t cos_app_issuer_domain[8];

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
/* Number of the channel that the command under way came on. */
static inline uint8_t cos_app_channel(const struct cos_app *app)
{
    return (uint8_t)(app->channel - app->channels);
}
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

/* ---- The vault (vault.c): content, size, rule and life-cycle status of EFs whose source is
 * COS_FS_SOURCE_VAULT are the security chip's (docs/design.md, "Vault") ---- */

/* Whether content may be read, updated or written: COS_E_CONDITIONS: deactivated or terminated;
 * COS_E_SECURITY_STATUS: not by the file's rule. The security chip asks itself again with what
 * follows. */
enum cos_result cos_app_vault_may(struct cos_app *app, const struct cos_file_info *info,
                                  enum cos_operation operation);
/* Bytes of content, from `offset` on. COS_E_OFFSET: not within the size. As many calls as it takes.
 */
enum cos_result cos_app_vault_read(struct cos_app *app, const struct cos_file_info *info,
                                   uint32_t offset, uint8_t *data, size_t length);
/* UPDATE: the security chip combines new bytes with old ones, so that nobody need be able to read
 * them. One call, so that it is atomic: COS_E_LENGTH above COS_VAULT_PART bytes. */
enum cos_result cos_app_vault_update(struct cos_app *app, const struct cos_file_info *info,
                                     uint32_t offset, struct cos_span data,
                                     enum cos_combination how);
/* ERASE: the same with zeros. */
enum cos_result cos_app_vault_erase(struct cos_app *app, const struct cos_file_info *info,
                                    uint32_t offset, size_t length);
/* WRITE: the same as the data coding byte says, which the security chip has. */
enum cos_result cos_app_vault_write(struct cos_app *app, const struct cos_file_info *info,
                                    uint32_t offset, struct cos_span data);
/* The life-cycle status byte: the one that counts; the stub's is that of CREATE FILE. */
enum cos_result cos_app_vault_life_cycle(struct cos_app *app, const struct cos_file_info *info,
                                         uint8_t *status);
/* ACTIVATE FILE (05), DEACTIVATE FILE (04), TERMINATE EF (0C) under the file's rule.
 * COS_E_CONDITIONS: not from the status that it has. */
enum cos_result cos_app_vault_set_life_cycle(struct cos_app *app, const struct cos_file_info *info,
                                             uint8_t status);
/* CREATE FILE under secure messaging with the issuer's keys, else COS_E_SECURITY_STATUS; `fcp` and
 * *info as for cos_fs_may_create(), which has been asked. Rule and life-cycle status are taken by
 * the security chip from the command itself. COS_E_DATA: no rule, one in 8B or A0, one above 48
 * bytes, one that filters by header. */
enum cos_result cos_app_vault_create(struct exchange *x, cos_file parent, struct cos_span fcp,
                                     const struct cos_file_info *info, cos_file *file);
/* Deletes an EF, or a DF with all that is below it, all or nothing; with it, in the security chip,
 * vault EFs, if the rule of each allows it, and the applications of DFs with names, their PINs and
 * keys: these only under secure messaging with the issuer's keys, else COS_E_SECURITY_STATUS.
 * COS_E_MEMORY_FULL: more than COS_VAULT_FILES_DELETE vault EFs. The rules of the other files are
 * the caller's business. */
enum cos_result cos_app_delete_tree(struct cos_app *app, cos_file file,
                                    const struct cos_file_info *info);
/* Ends a change of both chips that waits for its second half, as the security chip committed it or
 * not. To be called whenever a session was opened, before anything else is written.
 * COS_E_GATE_SESSION: there is none. COS_E_MUTE: the second half could not be written. */
enum cos_result cos_app_vault_resolve(struct cos_app *app);

/* ---- Logical channels (channel.c) ---- */

/* Whether a file may become current on this channel: it is shareable (ISO/IEC 7816-4:2013, table 7,
 * b7 of the file descriptor byte), or current on no other one. The MF always may. */
bool cos_app_may_share(const struct cos_app *app, cos_file file, const struct cos_file_info *info);

/* ---- Current file (select.c) ---- */

/* The file that P1, P2 b2b1 and the data field name as those of SELECT do. Selects nothing. */
enum cos_result cos_app_find_file(struct exchange *x, cos_file *file);
enum cos_result cos_app_set_df(struct cos_app *app, cos_file df);
void cos_app_set_ef(struct cos_app *app, cos_file ef);
/* A deletion of both chips may be finished after its command has ended: what was current then, and
 * is there no more, gives way to the MF. */
void cos_app_leave_what_is_gone(struct cos_app *app);

/* ---- The EF that a command works on (data.c) ---- */

/* EF and record pointer become current when the command succeeds, and only then. */
struct target {
    cos_file file;
    struct cos_file_info info;
    uint16_t record; /* record pointer; 0 = undefined */
};

/* The EF with an SFI (1 to 30) in the current DF, or (0) the current EF. COS_E_FILE_NOT_FOUND,
 * COS_E_NO_CURRENT_EF. */
enum cos_result cos_app_target(const struct cos_app *app, uint8_t sfi, struct target *target);
/* The file that P1-P2 of an odd instruction names: 0000 the current EF, 0001 to 001E an SFI, else
 * the FID of a child of the current DF. */
enum cos_result cos_app_target_odd(const struct exchange *x, struct target *target);
/* Ends a command on an EF with its result. */
enum cos_result cos_app_finish(struct cos_app *app, const struct target *target,
                               enum cos_result result);

static inline bool cos_app_is_odd(const struct exchange *x)
{
    return (x->command.ins & 0x01) != 0;
}

/* Whether no DF at or above `df` is deactivated or terminated: else everything in it is out of use
 * (COS_E_CONDITIONS). */
enum cos_result cos_app_df_usable(const struct cos_app *app, cos_file df);
/* The same for the file itself and the DFs above it. A vault EF's own status is left to the
 * security chip. */
enum cos_result cos_app_usable(const struct cos_app *app, const struct cos_file_info *info);
/* What precedes an operation on content: life cycle, then security status. The security chip does
 * it for vault EFs itself. */
enum cos_result cos_app_authorize(struct exchange *x, const struct cos_file_info *info,
                                  enum cos_operation operation);

/* Bytes of response data that there is room for. */
size_t cos_app_room(const struct exchange *x);
/* Bytes that the response may have: Ne, or all if Le asks for the maximum or is absent. *all says
 * which. */
size_t cos_app_wanted(const struct exchange *x, bool *all);

/* ---- Data objects of odd instructions (data.c); all COS_E_DATA if it is another ---- */

/* The next object: an offset (54). */
enum cos_result cos_app_read_offset(struct cos_reader *reader, uint32_t *offset);
/* The next and last object: discretionary data (53), not empty. */
enum cos_result cos_app_read_data(struct cos_reader *reader, struct cos_span *data);
/* There is none. */
enum cos_result cos_app_read_end(struct cos_reader *reader);

/* ---- Content (content.c) ---- */

/* Bytes of an EF, wherever it has them from: of a record, or (NULL) of a transparent EF. */
enum cos_result cos_app_read_content(struct cos_app *app, const struct cos_file_info *info,
                                     const struct cos_record *record, uint32_t offset,
                                     uint8_t *data, size_t length);
/* The response to a reading command: from `offset` on, as many of the `available` bytes as are
 * wanted, for an odd instruction in an object 53. COS_E_END_REACHED: that is less than Ne. */
enum cos_result cos_app_answer_content(struct exchange *x, const struct cos_file_info *info,
                                       const struct cos_record *record, uint32_t offset,
                                       size_t available);
/* Looks for a string in the bytes from `from` to `end`. COS_E_END_REACHED: it is not there. */
enum cos_result cos_app_search(struct cos_app *app, const struct cos_file_info *info,
                               const struct cos_record *record, uint32_t from, uint32_t end,
                               struct cos_span string, uint32_t *found);

/* Reads the bytes at `offset` into the response's buffer and combines them with `data`; *combined
 * is valid until something is written to the response. COS_E_CONDITIONS: once only, and something
 * was written before; COS_E_LENGTH: more than the buffer holds. */
enum cos_result cos_app_combine(struct exchange *x, const struct cos_file_info *info,
                                const struct cos_record *record, uint32_t offset,
                                struct cos_span data, enum cos_combination how,
                                struct cos_span *combined);

/* EF.ATR/INFO: what the card says about itself. */
void cos_app_write_atr_info(const struct cos_app *app, struct cos_writer *writer);
/* Its object 7F66: how long command and response APDUs may be. */
void cos_app_write_lengths(const struct cos_app *app, struct cos_writer *writer);
/* Whether the port takes command APDUs with extended length fields. */
static inline bool cos_app_takes_extended(const struct cos_app_config *config)
{
    return config->command_size > COS_APDU_SHORT_MAX;
}
/* What of the third byte of card capabilities (ISO/IEC 7816-4:2013, table 119) depends on the
 * build and on the port. */
static inline uint8_t cos_app_capabilities(const struct cos_app_config *config)
{
    const unsigned chaining = config->chain != NULL ? 0x80U : 0;
    const unsigned most = COS_CHANNELS > 8 ? 7 : COS_CHANNELS - 1; /* 7: eight or more */
    const unsigned channels = most != 0 ? 0x18U | most : 0; /* named by the card or by the reader */

    return (uint8_t)(chaining | channels | (cos_app_takes_extended(config) ? 0x40U : 0));
}

/* ---- Records (record.c) ---- */

/* P2 b3 to b1. */
enum {
    MODE_FIRST = 0, /* these four: occurrences of identifier P1, or (00) just records */
    MODE_LAST = 1,
    MODE_NEXT = 2,
    MODE_PREVIOUS = 3,
    MODE_NUMBER = 4,    /* record P1, or (00) the current one */
    MODE_UPWARDS = 5,   /* READ, ERASE: from P1 to the last */
    MODE_DOWNWARDS = 6, /* READ: from the last down to P1 */
};

static inline uint8_t cos_app_mode(const struct exchange *x)
{
    return x->command.p2 & 0x07;
}

static inline bool cos_app_goes_down(uint8_t mode)
{
    return mode == MODE_LAST || mode == MODE_PREVIOUS;
}

/* What a record command works on: an EF, and how many records there are. */
struct records {
    struct target ef;
    unsigned count;
};

/* The EF that P2 names, up to the security status. */
enum cos_result cos_app_open_records(struct exchange *x, enum cos_operation operation,
                                     struct records *records);
/* The record that mode and P1 name. COS_E_RECORD_NOT_FOUND. */
enum cos_result cos_app_pick_record(struct exchange *x, const struct records *records,
                                    unsigned *number);
enum cos_result cos_app_locate_record(const struct cos_app *app, const struct records *records,
                                      unsigned number, struct cos_record *record);
/* Where first, last, next and previous begin to look: with an undefined pointer next is the first
 * record, previous the last. 0, or a number behind the last: nowhere. */
unsigned cos_app_first_record(const struct records *records, uint8_t mode);
/* Whether a record has an identifier: the tag of the SIMPLE-TLV object that it is. All
 * have 0. */
enum cos_result cos_app_has_identifier(struct cos_app *app, const struct records *records,
                                       unsigned number, uint8_t identifier, bool *has);

/* ---- Data objects (object.c) ---- */

/* GET DATA of an object of the current EF, if it is of BER-TLV structure, or of the current DF. */
enum cos_result cos_app_get_object(struct exchange *x, uint16_t p1_p2);

/* ---- The end of the card (globalplatform.c) ---- */

/* Has the security chip set the life cycle to a state of GlobalPlatform. */
enum cos_result cos_app_set_life(struct exchange *x, uint8_t state);

/* ---- The chip's own NVM (start.c) ---- */

enum cos_result cos_app_erase_fab(const struct cos_app *app);
/* The app chip's transport key from the fab record. COS_E_CONDITIONS: there is none any more. */
enum cos_result cos_app_transport_key(const struct cos_app *app, uint8_t key[16]);
enum cos_result cos_app_store_pairing(struct cos_app *app, uint8_t generation,
                                      const uint8_t secret[COS_PAIRING_SECRET]);
/* Opens a session under the stored pairing secret. */
enum cos_result cos_app_hello(struct cos_app *app);
/* Erases a store page. */
enum cos_result cos_app_erase_page(const struct cos_app *app, uint32_t address);

/* ---- The ATR record (atr.c) ---- */

/* Keeps an ATR that cos_atr_read() takes and that says nothing untrue of this card:
 * docs/formats.md, "ATR record", has the rules. What depends on the build and on the life cycle is
 * set, not believed. COS_E_DATA. Writes NVM. */
enum cos_result cos_app_store_atr(struct cos_app *app, const uint8_t *atr, size_t length);
/* After a power cut the copies may differ, or one may read well today only: what the start answered
 * from is written again. */
enum cos_result cos_app_repair_atr(struct cos_app *app);
/* Writes the record again if its life cycle is no more the card's, as a session says. */
void cos_app_keep_atr(struct cos_app *app);
/* What NVM needs behind a command, but for the settle mark. Before the answer, as long as its time
 * can be extended. */
void cos_app_tidy(struct cos_app *app);

#endif
