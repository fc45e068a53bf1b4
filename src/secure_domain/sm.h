/* SPDX-License-Identifier: Apache-2.0
 *
 * What the protocols of secure messaging give to the one place that opens commands and seals
 * responses, sm.c: SCP03 and SCP02 (scp03.c, scp02.c), ISO/IEC 7816-4 (sm_iso.c, and mutual.c,
 * which opens its sessions).
 */
#ifndef COS_SECURE_SM_H
#define COS_SECURE_SM_H

#include "domain.h"

/* A command on its way from protected to plain: everything that the protocol's MAC covers. */
struct sm_command {
    const uint8_t *header;  /* CLA INS P1 P2 as they came */
    struct cos_span length; /* the Lc field as it came */
    uint8_t *data;          /* the data field, opened in place */
    size_t nc;              /* of it */
    uint32_t ne;
};

/* Takes padding method 2 (80 00 ..) off; COS_E_SM_INCORRECT. Only after the MAC was right: then
 * the sender alone can have padded wrongly, and the error tells nobody anything. */
enum cos_result cos_sm_unpad(const uint8_t *data, size_t *length);
/* Writes it behind `length` bytes. */
void cos_sm_pad(struct cos_writer *writer, size_t length, size_t block);

/* Bytes of a response that is not to become several. */
enum { RESPONSE_MAX = 256 };

/* SCP03 (scp03.c). */
enum cos_result cos_scp03_begin(struct cos_secure *secure, struct cos_reader *request,
                                struct cos_writer *body);
enum cos_result cos_scp03_finish(struct cos_secure *secure, struct cos_reader *request);
enum cos_result cos_scp03_open(const struct cos_crypto *crypto, struct cos_session *session,
                               struct sm_command *command);
/* How long a response may be that has room for what protects it. */
size_t cos_scp03_room(const struct cos_session *session);
/* Writes the data, protected as the session is, behind the status in *body. */
enum cos_result cos_scp03_seal(const struct cos_crypto *crypto, struct cos_session *session,
                               uint16_t sw, struct cos_span data, struct cos_writer *body);

/* ISO/IEC 7816-4 (sm_iso.c), and what mutual authentication and SCP02 take from it. */
enum { ISO_MAC = 8 };
enum cos_result cos_iso_open(const struct cos_crypto *crypto, struct cos_session *session,
                             struct sm_command *command);
size_t cos_iso_room(const struct cos_session *session);
/* odd: of the command's instruction. */
enum cos_result cos_iso_seal(const struct cos_crypto *crypto, struct cos_session *session, bool odd,
                             uint16_t sw, struct cos_span data, struct cos_writer *body);
/* MAC over up to five parts, one after the other, and padding; of it the first ISO_MAC bytes are
 * sent. */
enum cos_result cos_iso_mac(const struct cos_crypto *crypto, const struct cos_session *session,
                            const struct cos_span *parts, size_t count, uint8_t mac[COS_AES_BLOCK]);
/* CBC in place, whole blocks; the initial value is for AES, with 3DES it is 0. */
enum cos_result cos_iso_cipher(const struct cos_crypto *crypto, const struct cos_session *session,
                               const uint8_t iv[COS_AES_BLOCK], bool encipher, uint8_t *data,
                               size_t length);

/* SCP02 (scp02.c), where it differs from SCP03. What is under this condition is left out of the
 * image without the build switch. */
#ifdef COS_SCP02
enum { WITH_SCP02 = 1 };
#else
enum { WITH_SCP02 = 0 };
#endif
enum cos_result cos_scp02_begin(struct cos_secure *secure, struct cos_session *session,
                                const struct object *enc, const struct object *mac,
                                struct cos_span challenge, struct cos_writer *body);
enum cos_result cos_scp02_check_host(const struct cos_crypto *crypto, struct cos_session *session,
                                     const uint8_t *proof, const uint8_t *mac);
enum cos_result cos_scp02_open(const struct cos_crypto *crypto, struct cos_session *session,
                               struct sm_command *command);

#endif
