/* run.c: one call of the exec connector: from its input to a result or a failure. */
#include "plugins/connector/text.h"
#include "plugins/exec/pump.h"

#include <errno.h>
#include <sys/wait.h>

#define DETAIL_BYTES_MAX ((size_t)16 * 1024) /* of each stream, in the details of a failure: its end */

static const pawl_connector_field fields[] = {
    {"argv", PAWL_CONNECTOR_LIST, false, 0, 0},      {"shell", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"stdin", PAWL_CONNECTOR_OBJECT, false, 0, 0},   {"cwd", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"env", PAWL_CONNECTOR_TEXTS, false, 0, 0},      {"stdout", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"ok_exits", PAWL_CONNECTOR_ARRAY, false, 0, 0},
};
static const pawl_connector_field stdin_fields[] = {
    {"json", PAWL_CONNECTOR_ANY, false, 0, 0},
    {"text", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"base64", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"attachment", PAWL_CONNECTOR_TEXT, false, 0, 0},
};

/* One run, from checking to answering. */
typedef struct run {
    const pawl_connector *connector;
    pawl_connector_call *call;
    uint32_t interrupted; /* class of a failure after the start: it may have done something */
    const char *as;       /* what stdout becomes */
    pawl_exec_command command;
    pawl_connector_source input;
    pawl_connector_body output, errors;
} run;

static bool is_ok(const pawl_connector_call *call, int code)
{
    const json_t *list = json_object_get(call->input, "ok_exits");
    if (list == NULL)
        return code == 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_integer_value(json_array_get(list, i)) == code)
            return true;
    return false;
}

static pawl_status check(run *r)
{
    pawl_connector_call *call = r->call;
    char where[600];
    if (pawl_connector_call_check(call, fields, PAWL_CONNECTOR_COUNT(fields)) != PAWL_OK)
        return call->error.status;
    const json_t *in = json_object_get(call->input, "stdin");
    snprintf(where, sizeof where, "%s: input.stdin", call->where);
    if (in != NULL && pawl_connector_check(in, stdin_fields, PAWL_CONNECTOR_COUNT(stdin_fields), where,
                                           "exec.invalid_input", &call->error) != PAWL_OK)
        return call->error.status;
    const json_t *ok = json_object_get(call->input, "ok_exits");
    for (size_t i = 0; i < json_array_size(ok); i++)
        if (!json_is_integer(json_array_get(ok, i)))
            return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input",
                                            "\"ok_exits\" holds more than integers");
    r->as = pawl_connector_text(call->input, "stdout", "text");
    if (strcmp(r->as, "text") != 0 && strcmp(r->as, "base64") != 0 && strcmp(r->as, "attachment") != 0)
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input",
                                        "\"stdout\" is \"%s\", expected text, base64 or attachment", r->as);
    if (pawl_connector_source_open(&r->input, call, in) != PAWL_OK ||
        pawl_exec_command_open(r->connector, call, &r->command) != PAWL_OK)
        return call->error.status;
    bool attach = strcmp(r->as, "attachment") == 0;
    pawl_connector_body_open(&r->output, call,
                             attach ? r->connector->attachment_bytes_max : r->connector->output_bytes_max);
    pawl_connector_body_open(&r->errors, call, r->connector->output_bytes_max);
    return attach ? pawl_connector_body_save(&r->output, "application/octet-stream", "stdout") : PAWL_OK;
}

static pawl_status failed_to_start(pawl_connector_call *call, int problem)
{
    switch (problem) {
    case ENOENT:
    case ENOTDIR:
        return pawl_connector_call_fail_as(call, PAWL_E_NOT_FOUND, PAWL_TERMINAL, "not_found", "cannot start: %s",
                                           strerror(problem));
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ETXTBSY:
    case EIO:
    case ESRCH:
        return pawl_connector_call_fail(call, PAWL_RETRYABLE, "start", "cannot start: %s", strerror(problem));
    case E2BIG:
        return pawl_connector_call_fail_as(call, PAWL_E_LIMIT, PAWL_TERMINAL, "too_large",
                                           "arguments and environment are larger than the system takes");
    default:
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "start", "cannot start: %s", strerror(problem));
    }
}

/* The end of a stream, from the start of a character on. */
static void put_end(pawl_connector_call *call, json_t *detail, const char *key, const pawl_connector_body *body)
{
    const char *data = body->data;
    size_t size = body->size;
    while (size > DETAIL_BYTES_MAX || (size < body->size && size > 0 && ((unsigned char)*data & 0xC0) == 0x80)) {
        size_t cut = size > DETAIL_BYTES_MAX ? size - DETAIL_BYTES_MAX : 1;
        data += cut;
        size -= cut;
    }
    if (body->upload == NULL)
        (void)pawl_connector_put_text(call, detail, key, data, size);
}

/* Details are a help, not a duty: without memory the failure goes without them. */
static void add_detail(run *r, const char *key, int number)
{
    pawl_connector_error *error = &r->call->error;
    json_t *detail = json_object();
    if (detail == NULL)
        return;
    json_object_set_new(detail, key, json_integer(number));
    put_end(r->call, detail, "stdout", &r->output);
    put_end(r->call, detail, "stderr", &r->errors);
    json_decref(error->detail);
    error->detail = detail;
}

static pawl_status answer(run *r, int code)
{
    pawl_connector_call *call = r->call;
    json_t *result = json_pack("{s:i}", "exit", code);
    if (result == NULL)
        return pawl_connector_fail_memory(&call->error);
    pawl_status status = PAWL_OK;
    if (strcmp(r->as, "base64") == 0)
        status = pawl_connector_put_base64(call, result, "stdout_base64", r->output.data, r->output.size);
    else if (strcmp(r->as, "text") == 0)
        status = pawl_connector_put_text(call, result, "stdout", r->output.data, r->output.size);
    if (status == PAWL_OK)
        status = pawl_connector_put_text(call, result, "stderr", r->errors.data, r->errors.size);
    if (status == PAWL_OK)
        status = pawl_connector_answer(call, result, &r->output, "stdout");
    json_decref(result);
    return status;
}

static pawl_status judge(run *r, pawl_exec_end end, int status)
{
    pawl_connector_call *call = r->call;
    switch (end) {
    case PAWL_EXEC_CANCELLED:
        return pawl_connector_call_fail_as(call, PAWL_E_CANCELLED, r->interrupted, "cancelled",
                                           "cancelled on request; the process group was ended");
    case PAWL_EXEC_DEADLINE:
        return pawl_connector_call_fail_as(call, PAWL_E_DEADLINE, r->interrupted, "timeout",
                                           "the deadline has passed; the process group was ended");
    case PAWL_EXEC_OUTPUT_LIMIT:
        return pawl_connector_call_fail_as(call, PAWL_E_LIMIT, PAWL_TERMINAL, "output_limit",
                                           "it wrote more than the %llu bytes allowed to standard %s and was killed",
                                           (unsigned long long)(r->output.over ? r->output.limit : r->errors.limit),
                                           r->output.over ? "output" : "error");
    case PAWL_EXEC_BROKEN:
        return call->error.status;
    default:
        break;
    }
    if (status == -1)
        return pawl_connector_call_fail(call, r->interrupted, "lost",
                                        "it ended, but someone else took its exit status");
    if (WIFEXITED(status) && is_ok(call, WEXITSTATUS(status)))
        return answer(r, WEXITSTATUS(status));
    bool exited = WIFEXITED(status);
    int number = exited ? WEXITSTATUS(status) : WTERMSIG(status);
    if (exited)
        pawl_connector_call_fail(call, PAWL_TERMINAL, "exit", "it exited with %d", number);
    else
        pawl_connector_call_fail(call, r->interrupted, "signal", "it was ended by signal %d (%s)", number,
                                 sigabbrev_np(number) == NULL ? "?" : sigabbrev_np(number));
    add_detail(r, exited ? "exit" : "signal", number);
    return call->error.status;
}

pawl_status pawl_exec_run(const pawl_connector *connector, pawl_connector_call *call, bool repeatable)
{
    run r = {.connector = connector, .call = call, .command = {.directory = -1}};
    r.interrupted = repeatable ? PAWL_RETRYABLE : PAWL_UNKNOWN_OUTCOME;
    r.input.call = r.output.call = r.errors.call = call;
    pawl_status status = check(&r);
    if (status == PAWL_OK && pawl_call_cancelled(call->core, call->abi))
        status = pawl_connector_call_fail_as(call, PAWL_E_CANCELLED, PAWL_RETRYABLE, "cancelled",
                                             "cancelled before the start");
    if (status == PAWL_OK && pawl_call_time_left_ns(call->core, call->abi) == 0)
        status = pawl_connector_call_fail_as(call, PAWL_E_DEADLINE, PAWL_RETRYABLE, "timeout",
                                             "the deadline passed before the start");
    if (status == PAWL_OK) {
        pawl_exec_child child;
        int problem = pawl_exec_child_open(&child, &r.command, r.input.present);
        if (problem != 0) {
            status = failed_to_start(call, problem);
        } else {
            pawl_exec_end end = pawl_exec_pump(call, &child, &r.input, &r.output, &r.errors);
            status = judge(&r, end, pawl_exec_child_close(&child));
        }
    }
    pawl_connector_body_close(&r.output);
    pawl_connector_body_close(&r.errors);
    pawl_connector_source_close(&r.input);
    pawl_exec_command_close(&r.command);
    return status;
}
