/* status.c: see status.h. Never invents a status: what has no row of its own is a plain 500. */
#include "host/api/status.h"

#include <string.h>

#include "worker/base/error.h"

static const struct {
    pawl_status status;
    unsigned http;
} http_statuses[] = {
    {PAWL_OK, 200},         {PAWL_E_INVALID, 400},  {PAWL_E_NOT_FOUND, 404},
    {PAWL_E_CONFLICT, 409}, {PAWL_E_TERMINAL, 409}, {PAWL_E_STALE, 409},
    {PAWL_E_LIMIT, 413},    {PAWL_E_BUSY, 429},     {PAWL_E_UNSUPPORTED, 501},
    {PAWL_E_CLOSED, 503},   {PAWL_E_NOMEM, 503},    {PAWL_E_DEADLINE, 504},
    {PAWL_E_FULL, 507},
};

unsigned pawl_api_http_status(const pawl_error *error)
{
    if (error->status == PAWL_E_NOT_FOUND && strstr(error->code, "no_longer_retained") != NULL)
        return 410;
    for (size_t i = 0; i < sizeof http_statuses / sizeof *http_statuses; i++)
        if (http_statuses[i].status == error->status)
            return http_statuses[i].http;
    return 500;
}

pawl_status pawl_api_status_named(const char *name)
{
    for (pawl_status status = PAWL_OK; status >= PAWL_E_CLOSED; status--)
        if (strcmp(pawl_status_name(status), name) == 0)
            return status;
    return PAWL_E_FAILED;
}

json_t *pawl_api_error_json(const pawl_error *error)
{
    json_t *message = json_string(error->message);
    if (message == NULL)
        message = json_string("(the message is not valid UTF-8)");
    json_t *code = json_string(error->code);
    if (code == NULL)
        code = json_string("");
    return json_pack("{s:s, s:o, s:o}", "status", pawl_status_name(error->status), "code", code, "message", message);
}
