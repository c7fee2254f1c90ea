/* support.h: what the tests of the ways in share: a directory, a fake host with its server, and runs of the program's
 * commands inside the test. */
#ifndef CLI_TEST_SUPPORT_H
#define CLI_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <pawl/pawl.h>

#include "fake_host.h"
#include "host/api/client.h"
#include "host/api/server.h"

typedef struct fixture {
    char directory[128];
    char socket[160];
    char profile[160]; /* a file */
    pawl_host *host;
    pawl_api_server *server;
    pawl_client *client;
} fixture;

/** A directory, a profile with these further lines, a host, a server, a client. */
fixture *fixture_open(const char *profile_lines);
/** Without host and server: only the directory and the profile. */
fixture *fixture_bare(const char *profile_lines);
void fixture_close(fixture *f);
/** Write a file into the directory; *path has room for 256 bytes. */
void fixture_file(const fixture *f, const char *name, const char *content, char *path);

/** Ask; returns the HTTP status of a good answer and gives its JSON (may be NULL), or 0 and fills error. */
long ask(fixture *f, const char *method, const char *path, const char *body, json_t **ret_json, pawl_error *error);
/** Ask and forget; the answer must be of this HTTP status. */
void ask_well(fixture *f, const char *method, const char *path, const char *body, long http_status);
/** Ask with raw bytes and read what comes until the end; free() it. */
char *ask_raw(const fixture *f, const char *request);

typedef struct command_run {
    int exit_code;
    char *out;
    char *err;
} command_run;
/** Run `pawl WORDS...` (NULL at the end) against the fixture's socket (unless f is NULL) with this standard input. */
command_run run_command(const fixture *f, const char *in, ...) __attribute__((sentinel));
void run_free(command_run *run);

/** Both with the run's output in the failure's text. */
void assert_exit(const command_run *run, int exit_code);
void assert_contains(const char *text, const char *part);

#endif
