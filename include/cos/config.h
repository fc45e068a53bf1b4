/* SPDX-License-Identifier: Apache-2.0
 *
 * Defaults and hard limits. Those that stand in #ifndef may be set with -D: the same for the
 * library and for whatever includes its headers. The others are fixed. Sizes that differ between
 * cards of one library (memory, tables) are not here but in the config structs that the
 * chips get at init.
 */
#ifndef COS_CONFIG_H
#define COS_CONFIG_H

#define COS_VERSION_MAJOR 0
#define COS_VERSION_MINOR 1
#define COS_VERSION_PATCH 0
#define COS_VERSION       "0.1.0"

/* Version of the NVM format (docs/formats.md). A store of another version is refused.
 */
#define COS_NVM_FORMAT 1

/* Bytes that the store merges at a time while it streams old and new bytes into a fresh page. At
 * least the program unit, a multiple of it, and best the tear unit. */
#ifndef COS_STORE_MERGE
#define COS_STORE_MERGE 64
#endif

/* Free pages that a transaction leaves alone, so that what follows a power cut always finds room.
 */
#define COS_STORE_SLACK 3

/* Difference of erase counts from which a page that never moves is moved. */
#ifndef COS_STORE_LEVEL
#define COS_STORE_LEVEL 64
#endif

/* Largest plain text of a gate message, after the header, before the tag. Verifying
 * an RSA-4096 signature of a SHA-512 digest needs 594; a card with symmetric keys and elliptic
 * curves is served by 320. */
#ifndef COS_GATE_MESSAGE_MAX
#define COS_GATE_MESSAGE_MAX 600
#endif

/* Frame on the link: length, header, message, tag, CRC (docs/formats.md). */
#define COS_LINK_FRAME_MAX (2 + 10 + COS_GATE_MESSAGE_MAX + 8 + 4)

/* Time-out for one answer over the gate, and how often a request is sent before the link counts as
 * down. */
#ifndef COS_GATE_TIMEOUT_MS
#define COS_GATE_TIMEOUT_MS 1000
#endif
/* The same for calls that work with keys: making an RSA key may take that long. */
#ifndef COS_GATE_TIMEOUT_LONG_MS
#define COS_GATE_TIMEOUT_LONG_MS 60000
#endif
/* The app chip waits for an answer in slices, and calls idle() before each. A slice is less than a
 * quarter of the shortest waiting time that a port can have: the request for more is due at the
 * half, and whatever follows the answer takes its time, too. That is BWI 0 at 20 MHz, 960 * 372
 * cycles of the clock or 17.8 ms (ISO/IEC 7816-3:2006, 11.4.3); WI 1 of T=0 is 71 ms or more at any
 * Fi (10.2, table 7). */
#ifndef COS_GATE_SLICE_MS
#define COS_GATE_SLICE_MS 4
#endif
/* Signs of life that begin the time-out of one request anew (docs/formats.md, "Frames on the
 * link"). An honest chip sends four in each COS_GATE_TIMEOUT_LONG_MS: an hour. Who writes them on
 * the link may space them out and holds a call up for 16 hours at most. */
#ifndef COS_GATE_SIGNS
#define COS_GATE_SIGNS 240
#endif
#ifndef COS_GATE_TRIES
#define COS_GATE_TRIES 4
#endif

/* Largest command data field under secure messaging, of one command or of one part of a chain;
 * longer ones are answered 6700. */
#define COS_SM_MAX 255
/* What the security chip holds of a command under secure messaging: the opened data of a chain,
 * then the response data of what it executes. A signature with RSA-4096 is verified from 590. */
#define COS_SM_CHAIN_MAX  (COS_GATE_MESSAGE_MAX - 8)
#define COS_SM_ANSWER_MAX (COS_GATE_MESSAGE_MAX - 48)
/* What protects a command, at most: data objects, padding, MAC. */
#define COS_SM_AROUND 40

/* -DCOS_SCP02: SCP02 for key sets of 3DES keys, beside SCP03. Deprecated by GlobalPlatform; without
 * the switch the image has no code of it. The same for both chips. */

/* Logical channels, the basic one among them: 1 to 20. */
#ifndef COS_CHANNELS
#define COS_CHANNELS 4
#endif
/* Sessions of secure messaging that there can be at a time, on as many channels. */
#define COS_SM_SESSIONS (COS_CHANNELS < 2 ? COS_CHANNELS : 2)

/* PINs: bytes of the reference data. */
#define COS_PIN_MAX 16

/* Min-entropy that the noise source promises, in bits a byte (SP 800-90B); health-test cutoffs
 * follow from it. */
#define COS_ENTROPY_BITS_PER_BYTE 4
/* Least public exponent of an RSA key that comes from outside: 65537 (FIPS 186-5, 5.4), or 3. */
#ifndef COS_RSA_E_MIN
#define COS_RSA_E_MIN 65537
#endif
/* 1: what a private key made is checked with the public one before it leaves, and a wrong result
 * mutes the chip: a fault in RSA would give a factor away, one in ECDSA the key. 0: only where the
 * hardware finds faults itself. */
#ifndef COS_CHECK_SIGNATURES
#define COS_CHECK_SIGNATURES 1
#endif
/* Requests between two seedings. */
#define COS_DRBG_RESEED 1024

/* Attacks seen (bad tags, impossible states, sensor events) after which the security chip is mute
 * until reset, and for good. */
#ifndef COS_ATTACK_MUTE
#define COS_ATTACK_MUTE 8
#endif
#ifndef COS_ATTACK_DEAD
#define COS_ATTACK_DEAD 200
#endif

#endif
