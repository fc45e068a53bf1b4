/* SPDX-License-Identifier: Apache-2.0
 *
 * The card in the reader.
 */
#include "card.h"

#include "entropy_kernel.h"
#include "rom_image.h"
#include "sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long the security process may take to end when its power goes, before it is killed. It ends
 * when it sees the link closed, after the write it is at. */
#define END_PATIENCE_MS 2000

/* ---- Ends ---- */

static void torn(void *context)
{
    struct card *card = context;
    if (card->process > 0) {
        kill(card->process, SIGKILL); /* without power it does nothing more in any case */
        waitpid(card->process, NULL, 0);
    }
    card->options.torn(card->power);
    _exit(HOST_CUT_STATUS);
}

/* Says why a security process that nobody asked to end has ended. */
static void report_end(struct card *card, int status)
{
    char why[96];
    if (WIFSIGNALED(status)) {
        snprintf(why, sizeof why, "security process ended by signal %d", WTERMSIG(status));
    } else if (WEXITSTATUS(status) == HOST_SANDBOX_STATUS) {
        snprintf(why, sizeof why, "security process could not build its sandbox");
    } else {
        snprintf(why, sizeof why, "security process ended with status %d", WEXITSTATUS(status));
    }
    fprintf(stderr, "twincard: %s\n", why);
    tracer_event(card->tracer, why);
}

static void close_link(struct card *card)
{
    if (card->link >= 0) {
        close(card->link);
        card->link = -1;
    }
}

void card_check(struct card *card)
{
    int status = 0;
    if (card->power != NULL && host_power_is_off(card->power)) {
        torn(card);
    }
    if (card->process > 0 && waitpid(card->process, &status, WNOHANG) == card->process) {
        card->process = 0;
        close_link(card);
        card->state = CARD_DEAD;
        report_end(card, status);
    }
}

/* Waits for the security process to end by itself, and kills it if it does not. */
static void end_process(struct card *card)
{
    const struct timespec step = {.tv_nsec = 200 * 1000};
    uint32_t began = host_clock_ms(NULL);
    close_link(card);
    while (card->process > 0 && waitpid(card->process, NULL, WNOHANG) == 0) {
        if (host_clock_ms(NULL) - began > END_PATIENCE_MS) {
            kill(card->process, SIGKILL);
        }
        nanosleep(&step, NULL);
    }
    card->process = 0;
}

/* ---- The security chip ---- */

/* The security process: starts the chip inside the sandbox and serves until the link closes. */
static _Noreturn void run_secure(struct card *card, int link)
{
    struct host_link_socket socket;

    /* The end of the card comes over the link: signals to the whole group must not cut the answer
     * that is being made. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (!host_sandbox_enter(card->secure_file.descriptor, link)) {
        _exit(HOST_SANDBOX_STATUS);
    }
    card->process = 0;
    host_link_socket_init(&socket, link);
    card->secure_board.link = &socket.link;
    cos_secure_start(&card->secure, &card->secure_board, &card->secure_chip.config);
    while (cos_secure_serve(&card->secure, 0) != COS_E_LINK_DOWN) {
    }
    _exit(0);
}

/* Power went in the security process: this one finds out by itself. */
static void end_secure(void *context)
{
    const struct card *card = context;
    if (card->options.single) {
        torn(context);
    }
    _exit(HOST_CUT_STATUS);
}

static bool start_process(struct card *card)
{
    int ends[2];
    if (!host_link_pair(ends)) {
        return false;
    }
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        run_secure(card, ends[1]);
    }
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return false;
    }
    card->process = process;
    card->link = ends[0];
    host_link_socket_init(&card->link_socket, card->link);
    card->app_board.link = &card->link_socket.link;
    return true;
}

static void serve_once(void *context)
{
    struct card *card = context;
    cos_secure_serve(&card->secure, 0);
}

static void start_single(struct card *card)
{
    host_link_loop_init(&card->loop, serve_once, card);
    card->app_board.link = &card->loop.app;
    card->secure_board.link = &card->loop.secure;
    cos_secure_start(&card->secure, &card->secure_board, &card->secure_chip.config);
}

/* ---- Power ---- */

static void take_power(struct card *card)
{
    if (card->power != NULL && host_power_is_off(card->power)) {
        torn(card);
    }
    end_process(card);
    if (card->power != NULL && host_power_is_off(card->power)) {
        torn(card); /* in the last thing that the security process did */
    }
    cos_wipe(&card->app, sizeof card->app);
    cos_wipe(&card->secure, sizeof card->secure);
    card->state = CARD_OFF;
}

void card_power_on(struct card *card)
{
    tracer_event(card->tracer, card->state == CARD_OFF ? "power on" : "reset");
    take_power(card);
    card->state = CARD_ON;
    if (card->options.single) {
        start_single(card);
    } else if (!start_process(card)) {
        fprintf(stderr, "twincard: no security process: %s\n", strerror(errno));
        card->state = CARD_DEAD;
    }
}

void card_power_off(struct card *card)
{
    if (card->state != CARD_OFF) {
        tracer_event(card->tracer, "power off");
        take_power(card);
    }
}

/* ---- Contacts ---- */

size_t card_atr(struct card *card, uint8_t atr[COS_ATR_MAX])
{
    size_t length = cos_app_atr(&card->app_board, &card->app_chip.config, atr, COS_ATR_MAX);
    if (card->state != CARD_OFF) { /* readers ask all the time whether a card is there */
        tracer_atr(card->tracer, atr, length);
    }
    return length;
}

/* The app chip starts with the first command: the ATR does not wait for it. */
static void start_app(struct card *card)
{
    enum cos_result result = cos_app_start(&card->app, &card->app_board, &card->app_chip.config);
    if (result != COS_OK) {
        char why[64];
        snprintf(why, sizeof why, "the card is mute: error %d", (int)result);
        fprintf(stderr, "twincard: %s\n", why);
        tracer_event(card->tracer, why);
    }
    card->state = CARD_STARTED;
}

size_t card_command(struct card *card, uint8_t *command, size_t length,
                    uint8_t response[CARD_RESPONSE_MAX])
{
    size_t answer = 0;
    if (card->state == CARD_OFF) {
        card_power_on(card);
    }
    card_check(card);
    if (card->state == CARD_ON) {
        start_app(card);
        card_check(card);
    }
    tracer_command(card->tracer, command, length);
    if (card->state == CARD_STARTED) {
        answer = cos_app_command(&card->app, command, length, response, CARD_RESPONSE_MAX);
        card_check(card);
    }
    if (card->state == CARD_DEAD || answer < 2) {
        cos_put16(response, COS_SW_NO_DIAGNOSIS);
        answer = 2;
    }
    tracer_response(card->tracer, response, answer);
    return answer;
}

void card_settle(struct card *card)
{
    if (card->state == CARD_STARTED) {
        cos_app_settle(&card->app);
    }
}

int card_watch(const struct card *card)
{
    return card->link;
}

/* ---- Opening ---- */

static bool open_nvm(struct host_nvm_file *file, const struct card_options *options,
                     const char *name, uint32_t size, char *message, size_t capacity)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", options->directory, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        snprintf(message, capacity, "%.64s...: path too long", options->directory);
        return false;
    }
    return host_nvm_open(file, path, size, message, capacity);
}

static bool prepare_cut(struct card *card)
{
    card->power = host_power_new(card->options.cut_at, card->options.content);
    if (card->power == NULL) {
        return false;
    }
    host_nvm_cut_init(&card->app_cut, &card->app_file.nvm, card->power, HOST_CHIP_APP, torn, card);
    host_nvm_cut_init(&card->secure_cut, &card->secure_file.nvm, card->power, HOST_CHIP_SECURE,
                      end_secure, card);
    card->app_board.nvm = &card->app_cut.nvm;
    card->secure_board.nvm = &card->secure_cut.nvm;
    return true;
}

bool card_open(struct card *card, const struct card_options *options, struct tracer *tracer,
               char *message, size_t capacity)
{
    memset(card, 0, sizeof *card);
    card->options = *options;
    card->tracer = tracer;
    card->link = -1;
    if (!open_nvm(&card->app_file, options, HOST_APP_NVM, HOST_APP_NVM_SIZE, message, capacity)) {
        return false;
    }
    if (!open_nvm(&card->secure_file, options, HOST_SECURE_NVM, HOST_SECURE_NVM_SIZE, message,
                  capacity)) {
        host_nvm_close(&card->app_file);
        return false;
    }
    host_app_chip_init(&card->app_chip, tracer->out != NULL ? &tracer->gate : NULL);
    host_secure_chip_init(&card->secure_chip);
    host_contacts_init(&card->contacts, HOST_CLOCK_CLASS, host_pairs);
    card->contacts.fault[options->contact] = options->fault;
    card->app_board = (struct cos_board){
        .nvm = &card->app_file.nvm,
        .entropy = &host_entropy_kernel,
        .contacts = &card->contacts.contacts,
        .clock_ms = host_clock_ms,
    };
    card->secure_board = (struct cos_board){
        .nvm = &card->secure_file.nvm,
        .entropy = &host_entropy_kernel,
        .rom = &card->rom,
        .clock_ms = host_clock_ms,
    };
    if (!host_rom_image_open(&card->rom) || (options->cut_at != 0 && !prepare_cut(card))) {
        snprintf(message, capacity, "the program's image or memory: %s", strerror(errno));
        card_close(card);
        return false;
    }
    return true;
}

void card_close(struct card *card)
{
    card_power_off(card);
    host_nvm_close(&card->app_file);
    host_nvm_close(&card->secure_file);
    host_power_free(card->power);
    if (card->rom.image != NULL) {
        host_rom_image_close(&card->rom);
    }
}
