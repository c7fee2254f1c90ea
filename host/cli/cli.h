/* cli.h: what the commands of the `pawl` program share: their table, their options, how they print and how they fail.
 * Nothing here is global: a run of the program is one pawl_cli, with its own streams, so that a test can hold several.
 */
#ifndef PAWL_CLI_H
#define PAWL_CLI_H

#include <jansson.h>
#include <pawl/pawl.h>
#include <stdbool.h>
#include <stdio.h>

#include "host/api/client.h"
#include "host/api/find.h"

/* Exit codes (docs/operators-guide.md explains each). */
#define PAWL_EXIT_OK            0
#define PAWL_EXIT_FAILED        1
#define PAWL_EXIT_USAGE         2
#define PAWL_EXIT_NOT_FOUND     3
#define PAWL_EXIT_CONFLICT      4
#define PAWL_EXIT_NO_SERVER     5
#define PAWL_EXIT_REFUSED       6
#define PAWL_EXIT_TIMEOUT       7
#define PAWL_EXIT_NOT_COMPLETED 8
#define PAWL_EXIT_DAMAGED       9

#define PAWL_CLI_OPTIONS_MAX   96u
#define PAWL_CLI_ARGUMENTS_MAX 1024u

typedef struct pawl_cli pawl_cli;

typedef struct pawl_cli_option {
    const char *name;  /* without "--"; NULL ends a list */
    const char *value; /* what it takes, for help: "SPAN"; NULL: it is a flag */
    const char *help;
} pawl_cli_option;

typedef struct pawl_cli_command {
    const char *name;      /* one word or two: "plugin show" */
    const char *arguments; /* for help: "ID..." */
    int least;             /* arguments */
    int most;
    const char *summary;  /* one line */
    const char *text;     /* more, in lines; may be NULL */
    const char *examples; /* lines; may be NULL */
    const pawl_cli_option *options;
    int (*run)(pawl_cli *cli);
} pawl_cli_command;

struct pawl_cli {
    FILE *in;
    FILE *out;
    FILE *err;
    const pawl_cli_command *command;
    int argument_count;
    const char *arguments[PAWL_CLI_ARGUMENTS_MAX];
    size_t given_count;
    struct {
        const char *name;
        const char *value; /* "" for a flag */
    } given[PAWL_CLI_OPTIONS_MAX];
    bool json;
    bool color;
    pawl_client *client;
};

/** The program. Returns the exit code. */
int pawl_cli_main(int argc, char **argv, FILE *in, FILE *out, FILE *err);

/* ---- the table (commands.c) and its help (help.c) ------------------------------------------------------------------
 */

extern const pawl_cli_command pawl_cli_commands[];      /* a NULL name ends it */
extern const pawl_cli_option pawl_cli_common_options[]; /* every command takes these */

/** The command of these words; *ret_words: how many of them its name has. NULL when there is none. */
const pawl_cli_command *pawl_cli_find(int count, const char *const *words, int *ret_words);
void pawl_cli_print_help(FILE *out);
void pawl_cli_print_command_help(FILE *out, const pawl_cli_command *command);

/* ---- options (options.c) -------------------------------------------------------------------------------------------
 */

/** Take the arguments behind a command's name apart. PAWL_EXIT_OK, or PAWL_EXIT_USAGE with the mistake printed. */
int pawl_cli_parse(pawl_cli *cli, int count, char **words);
/** The value of an option, or NULL. */
const char *pawl_cli_value(const pawl_cli *cli, const char *name);
bool pawl_cli_flag(const pawl_cli *cli, const char *name);
/** A whole number within [least, most]; absent: fallback. False: the mistake was printed. */
bool pawl_cli_number(pawl_cli *cli, const char *name, uint64_t least, uint64_t most, uint64_t fallback, uint64_t *ret);
/** A span such as "250ms", "30s", "5m", "2h", "1d", in milliseconds; absent: fallback. False: printed. */
bool pawl_cli_span_ms(pawl_cli *cli, const char *name, uint64_t fallback, uint64_t *ret);
/** The word out of a NULL-terminated list that is most like this one, or NULL when none is close. */
const char *pawl_cli_closest(const char *word, const char *const *words);

/* ---- input (input.c) -----------------------------------------------------------------------------------------------
 */

/** Content given as text, "@FILE" or "-" (standard input). as_json: it must be JSON and is set as `stem`; otherwise it
 *  is set as `stem`_text or, when it is not UTF-8, `stem`_base64. False: the mistake was printed. */
bool pawl_cli_put_content(pawl_cli *cli, json_t *object, const char *stem, const char *given, bool as_json);

/** All --attribute NAME=VALUE, as `attributes` of a request, each of the type that the host's profile says. The exit
 * code, with the mistake printed. (attribute.c) */
int pawl_cli_put_attributes(pawl_cli *cli, json_t *object);

/* ---- failing (fail.c) ----------------------------------------------------------------------------------------------
 */

/** Print "pawl: message" (or {"error": ...} with --json) to cli->err; returns exit_code. */
int pawl_cli_fail(pawl_cli *cli, int exit_code, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** As above, from an error; the exit code follows from its code and status. */
int pawl_cli_fail_error(pawl_cli *cli, const pawl_error *error);
int pawl_cli_exit_code(const pawl_error *error);

/* ---- asking the server (ask.c) --------------------------------------------------------------------------------------
 */

/** The profile: --profile, PAWL_PROFILE, or ./pawl.yaml if it is there; else NULL. */
const char *pawl_cli_profile(const pawl_cli *cli);
/** Make cli->client, of the server of the profile or of --socket. PAWL_EXIT_OK, or an exit code, everything printed. */
int pawl_cli_connect(pawl_cli *cli);
/** Ask the server of the profile or of --socket. `path` is consumed (NULL: out of memory). PAWL_EXIT_OK with *ret to be
 *  finished by the caller, or an exit code, everything printed. */
int pawl_cli_ask(pawl_cli *cli, const char *method, char *path, const json_t *body, pawl_client_reply *ret);
/** As above, but a failure is only told in *error (PAWL_E_INVALID when no server is named), and the answer is waited
 * for as long as it takes. */
pawl_status pawl_cli_try(pawl_cli *cli, const char *method, const char *path, const json_t *body,
                         pawl_client_reply *ret, pawl_error *error);
/** As pawl_cli_ask, with the reply's text printed when --json is given, and *ret_json its JSON (a new reference). */
int pawl_cli_ask_json(pawl_cli *cli, const char *method, char *path, const json_t *body, json_t **ret_json);

/* ---- printing (print.c) ---------------------------------------------------------------------------------------------
 */

#define PAWL_COLOR_NONE   ""
#define PAWL_COLOR_RED    "31"
#define PAWL_COLOR_GREEN  "32"
#define PAWL_COLOR_YELLOW "33"
#define PAWL_COLOR_CYAN   "36"
#define PAWL_COLOR_DIM    "2"
#define PAWL_COLOR_BOLD   "1"

/** Text from outside: control characters are shown as escapes, so that it cannot drive a terminal. */
void pawl_cli_put(FILE *out, const char *text);
/** As above, in a color when the run has colors. */
void pawl_cli_put_color(const pawl_cli *cli, const char *color, const char *text);
const char *pawl_cli_status_color(const char *status);
/** One line of compact JSON. */
void pawl_cli_put_json(FILE *out, const json_t *json);
/** An object as aligned "key  value" lines, nested ones indented. */
void pawl_cli_put_object(const pawl_cli *cli, json_t *object, int indent);
/** A JSON value in one line: strings as they are, the rest as compact JSON. */
void pawl_cli_put_value(FILE *out, const json_t *value);

/** A string member, or "". */
const char *pawl_cli_text(const json_t *object, const char *key);

/** The time of a member ("created" beside "created_unix_ns"), or 0. */
uint64_t pawl_cli_time(const json_t *object, const char *key);
/** "12s", "5m", "3h", "2d". */
void pawl_cli_age(uint64_t since_unix_ns, uint64_t now_unix_ns, char *text, size_t room);
/** "2026-11-21 02:13:05 (12 s ago)", in local time. */
void pawl_cli_moment(uint64_t unix_ns, uint64_t now_unix_ns, char *text, size_t room);
uint64_t pawl_cli_now_unix_ns(void);

/** A table: cells are collected and then printed in aligned columns; the last column is cut at the width of a terminal.
 */
#define PAWL_CLI_COLUMNS_MAX 8u
typedef struct pawl_cli_table {
    size_t columns;
    size_t count; /* cells */
    size_t capacity;
    char **cells;
    const char **colors;
} pawl_cli_table;
void pawl_cli_table_add(pawl_cli_table *table, const char *color, const char *text);
void pawl_cli_table_print(const pawl_cli *cli, pawl_cli_table *table); /* and frees it */

/* ---- commands -------------------------------------------------------------------------------------------------------
 */

int pawl_cli_serve(pawl_cli *cli);
int pawl_cli_start(pawl_cli *cli);
int pawl_cli_wait(pawl_cli *cli);
int pawl_cli_ps(pawl_cli *cli);
int pawl_cli_count(pawl_cli *cli);
int pawl_cli_prune(pawl_cli *cli);
int pawl_cli_show(pawl_cli *cli);
int pawl_cli_journal(pawl_cli *cli);
int pawl_cli_signal(pawl_cli *cli);
int pawl_cli_event_append(pawl_cli *cli); /* event.c */
int pawl_cli_event_list(pawl_cli *cli);
int pawl_cli_event_wait(pawl_cli *cli);
int pawl_cli_queue_list(pawl_cli *cli);
int pawl_cli_queue_claim(pawl_cli *cli);
int pawl_cli_queue_ack(pawl_cli *cli);
int pawl_cli_queue_release(pawl_cli *cli);
int pawl_cli_queue_extend(pawl_cli *cli);
int pawl_cli_queue_redrive(pawl_cli *cli);
int pawl_cli_queue_drop(pawl_cli *cli);
int pawl_cli_update(pawl_cli *cli);
int pawl_cli_cancel(pawl_cli *cli);
int pawl_cli_terminate(pawl_cli *cli);
int pawl_cli_pause(pawl_cli *cli);
int pawl_cli_resume(pawl_cli *cli);
int pawl_cli_restart(pawl_cli *cli);
int pawl_cli_complete(pawl_cli *cli);
int pawl_cli_host(pawl_cli *cli);
int pawl_cli_connectors(pawl_cli *cli);
int pawl_cli_drain(pawl_cli *cli);
extern const pawl_cli_option pawl_cli_schedule_create_options[], pawl_cli_schedule_pause_options[],
    pawl_cli_schedule_trigger_options[], pawl_cli_schedule_backfill_options[]; /* schedule.c */
int pawl_cli_schedule_create(pawl_cli *cli);                                   /* schedule.c */
int pawl_cli_schedule_list(pawl_cli *cli);
int pawl_cli_schedule_show(pawl_cli *cli);
int pawl_cli_schedule_pause(pawl_cli *cli);
int pawl_cli_schedule_resume(pawl_cli *cli);
int pawl_cli_schedule_trigger(pawl_cli *cli);
int pawl_cli_schedule_backfill(pawl_cli *cli);
int pawl_cli_schedule_delete(pawl_cli *cli);
int pawl_cli_session_list(pawl_cli *cli);
int pawl_cli_session_show(pawl_cli *cli);
int pawl_cli_session_get(pawl_cli *cli);
int pawl_cli_session_set(pawl_cli *cli);
int pawl_cli_session_unset(pawl_cli *cli);
int pawl_cli_session_delete(pawl_cli *cli);
int pawl_cli_session_release(pawl_cli *cli);
int pawl_cli_attachment_put(pawl_cli *cli);
int pawl_cli_attachment_get(pawl_cli *cli);
int pawl_cli_attachment_list(pawl_cli *cli);
int pawl_cli_attachment_show(pawl_cli *cli);
int pawl_cli_attachment_share(pawl_cli *cli);
int pawl_cli_attachment_drop(pawl_cli *cli);
int pawl_cli_handle_list(pawl_cli *cli);
int pawl_cli_handle_grant(pawl_cli *cli);
int pawl_cli_handle_revoke(pawl_cli *cli);
int pawl_cli_handle_transfer(pawl_cli *cli);
int pawl_cli_plugin_list(pawl_cli *cli);
int pawl_cli_plugin_unused(pawl_cli *cli);
int pawl_cli_plugin_forget(pawl_cli *cli);
int pawl_cli_test(pawl_cli *cli);       /* test.c */
int pawl_cli_plugin_new(pawl_cli *cli); /* new.c */
int pawl_cli_plugin_show(pawl_cli *cli);
int pawl_cli_plugin_probe(pawl_cli *cli);
int pawl_cli_plugin_check(pawl_cli *cli); /* plugin_check.c */
int pawl_cli_check(pawl_cli *cli);
int pawl_cli_check_store(pawl_cli *cli, const char *profile); /* of pawl_cli_check; care.c */
int pawl_cli_backup(pawl_cli *cli);
int pawl_cli_restore(pawl_cli *cli);
int pawl_cli_version(pawl_cli *cli);
int pawl_cli_help(pawl_cli *cli);
int pawl_cli_bench_start(pawl_cli *cli);
int pawl_cli_bench_steps(pawl_cli *cli);
int pawl_cli_bench_sleep(pawl_cli *cli);
int pawl_cli_bench_signal(pawl_cli *cli);
int pawl_cli_bench_recover(pawl_cli *cli);
int pawl_cli_bench_fairness(pawl_cli *cli);
int pawl_cli_bench_idle(pawl_cli *cli);
int pawl_cli_bench_long(pawl_cli *cli);

#endif
