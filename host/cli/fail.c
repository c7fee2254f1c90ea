/* fail.c: how a command says that it failed, and with which exit code. One line on standard error, never on standard
 * output, so that what a script reads is only ever an answer. */
#include <stdarg.h>
#include <string.h>

#include "host/cli/cli.h"

/* A profile's report has the code behind each problem already. */
static bool names_code(const char *message, const char *code)
{
    char bracketed[160];
    snprintf(bracketed, sizeof bracketed, "[%s]", code);
    return strstr(message, bracketed) != NULL;
}

static int print_failure(pawl_cli *cli, int exit_code, const char *code, const char *message)
{
    if (cli->json || pawl_cli_flag(cli, "json")) {
        json_t *text = json_string(message);
        json_t *error = json_pack("{s:{s:i, s:s, s:o}}", "error", "exit", exit_code, "code", code, "message",
                                  text == NULL ? json_string("(not valid UTF-8)") : text);
        pawl_cli_put_json(cli->err, error);
        json_decref(error);
        return exit_code;
    }
    fputs("pawl: ", cli->err);
    for (const char *line = message; *line != '\0';) { /* its own line breaks are kept */
        char part[2048];
        size_t size = strcspn(line, "\n");
        snprintf(part, sizeof part, "%.*s", (int)size, line);
        pawl_cli_put(cli->err, part);
        line += size;
        if (*line == '\n') {
            fputc('\n', cli->err);
            line++;
        }
    }
    if (strcmp(code, "usage") == 0 || names_code(message, code))
        fprintf(cli->err, "\n");
    else
        fprintf(cli->err, " [%s]\n", code);
    return exit_code;
}

int pawl_cli_fail(pawl_cli *cli, int exit_code, const char *code, const char *format, ...)
{
    char message[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return print_failure(cli, exit_code, code, message);
}

int pawl_cli_exit_code(const pawl_error *error)
{
    static const char *const refusals[] = {"profile.", "loader.", "durable_store_required:", "secret.", "assemble."};
    if (strcmp(error->code, "client.no_server") == 0)
        return PAWL_EXIT_NO_SERVER;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (strncmp(error->code, refusals[i], strlen(refusals[i])) == 0)
            return PAWL_EXIT_REFUSED;
    switch (error->status) {
    case PAWL_OK:
        return PAWL_EXIT_OK;
    case PAWL_E_NOT_FOUND:
        return PAWL_EXIT_NOT_FOUND;
    case PAWL_E_CONFLICT:
    case PAWL_E_TERMINAL:
    case PAWL_E_STALE:
    case PAWL_E_BUSY:
        return PAWL_EXIT_CONFLICT;
    case PAWL_E_DEADLINE:
        return PAWL_EXIT_TIMEOUT;
    default:
        return PAWL_EXIT_FAILED;
    }
}

int pawl_cli_fail_error(pawl_cli *cli, const pawl_error *error)
{
    return print_failure(cli, pawl_cli_exit_code(error), error->code, error->message);
}
