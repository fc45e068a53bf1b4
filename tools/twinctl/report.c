/* SPDX-License-Identifier: Apache-2.0
 *
 * Output.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

void report_open(struct report *report, bool json, const char *command)
{
    report->root = json ? json_object() : NULL;
    if (report->root != NULL) {
        json_object_set_new(report->root, "command", json_string(command));
    }
}

void report_item(struct report *report, const char *key, const char *label, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (report->root != NULL) {
        json_object_set_new(report->root, key, json_string(text));
    } else {
        printf("  %-26s %s\n", label, text);
    }
}

void report_number(struct report *report, const char *key, const char *label, long number)
{
    if (report->root != NULL) {
        json_object_set_new(report->root, key, json_integer(number));
    } else {
        printf("  %-26s %ld\n", label, number);
    }
}

void report_line(struct report *report, const char *format, ...)
{
    if (report->root == NULL) {
        va_list arguments;
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
        putchar('\n');
    }
}

/* The array `key` of the report. */
static json_t *array(struct report *report, const char *key)
{
    json_t *list = json_object_get(report->root, key);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(report->root, key, list);
    }
    return list;
}

void report_response(struct report *report, const char *text)
{
    if (report->root != NULL) {
        json_array_append_new(array(report, "responses"), json_string(text));
    } else {
        puts(text);
        fflush(stdout); /* what the card did is seen even if the next command ends it */
    }
}

void report_step(struct report *report, const struct report_step *step)
{
    if (report->root != NULL) {
        json_array_append_new(array(report, "steps"),
                              json_pack("{s:i, s:s, s:s, s:s, s:b}", "number", (int)step->number,
                                        "name", step->name, "who", step->who, "state", step->state,
                                        "already", (int)step->already));
        return;
    }
    report_item(report, "state", "the card is now", "%s%s", step->state,
                step->already ? " (the step was done already)" : "");
    fflush(stdout);
}

int report_close(struct report *report, enum outcome outcome, const struct problem *problem)
{
    static const char *const words[] = {"done", "refused", "trouble"};
    if (report->root != NULL) {
        json_object_set_new(report->root, "status", json_string(words[outcome]));
        if (outcome != DONE) {
            char sw[5];
            json_object_set_new(report->root, "message", json_string(problem->text));
            snprintf(sw, sizeof sw, "%04X", problem->sw);
            json_object_set_new(report->root, "sw",
                                problem->sw != 0 ? json_string(sw) : json_null());
        }
        json_dumpf(report->root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(report->root);
        report->root = NULL;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "twinctl: cannot write the output\n");
        return TROUBLE;
    }
    if (outcome != DONE) {
        fprintf(stderr, "%s: %s\n", outcome == REFUSED ? "refused" : "twinctl", problem->text);
    }
    return (int)outcome;
}
