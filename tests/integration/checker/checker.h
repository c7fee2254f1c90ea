/* checker.h: running pawl-plugin-check from a test and reading what it found. */
#ifndef PAWL_TESTS_CHECKER_H
#define PAWL_TESTS_CHECKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

/** Run it with these words (as a shell reads them) and take its standard output. The exit code. */
int check_run(const char *words, char **ret_output);
/** The same for another program and its words. */
int check_program(const char *command, char **ret_output);
/** check_run with --json, and its report. */
int check_report(const char *words, json_t **ret_report);
/** A case of a report; the test fails when it is not there. */
const json_t *check_case(const json_t *report, const char *name);
/** All texts of a case in one: its reason and its findings. free() it. */
char *check_texts(const json_t *one);
const char *check_verdict(const json_t *one);

/** What is to be found in a plugin: this verdict in this case, and in no other case anything that fails the check. */
typedef struct check_expectation {
    const char *plugin; /* path below the directory of bad ones, or a whole one */
    const char *name;   /* of the case; NULL: the plugin passes */
    const char *verdict;
    const char *rules;    /* a part */
    const char *fragment; /* of what it says */
    const char *words;    /* more for the command line; NULL: none */
} check_expectation;
void check_meet(const char *directory, const check_expectation *expectations, size_t count);

#endif
