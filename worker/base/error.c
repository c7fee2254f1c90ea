/* error.c: see error.h. Fixed buffers, so that reporting an error cannot itself run out of memory. */
#include "error.h"

#undef pawl_error_set /* the analyser's */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    pawl_status status;
    const char *name;
} status_names[] = {
    {PAWL_OK, "ok"},
    {PAWL_SUSPEND, "suspend"},
    {PAWL_PENDING, "pending"},
    {PAWL_E_FAILED, "failed"},
    {PAWL_E_UNSUPPORTED, "unsupported"},
    {PAWL_E_INVALID, "invalid"},
    {PAWL_E_NOMEM, "out_of_memory"},
    {PAWL_E_CANCELLED, "cancelled"},
    {PAWL_E_DEADLINE, "deadline"},
    {PAWL_E_NONDETERMINISM, "nondeterminism"},
    {PAWL_E_NOT_FOUND, "not_found"},
    {PAWL_E_CONFLICT, "conflict"},
    {PAWL_E_STALE, "stale"},
    {PAWL_E_TERMINAL, "already_terminal"},
    {PAWL_E_LIMIT, "limit"},
    {PAWL_E_BUSY, "busy"},
    {PAWL_E_CORRUPT, "corrupt"},
    {PAWL_E_IO, "io"},
    {PAWL_E_FULL, "no_space"},
    {PAWL_E_CLOSED, "closed"},
};

const char *pawl_status_name(pawl_status status)
{
    for (size_t i = 0; i < sizeof status_names / sizeof *status_names; i++)
        if (status_names[i].status == status)
            return status_names[i].name;
    return "unknown";
}

pawl_status pawl_error_set(pawl_error *error, pawl_status status, const char *code, const char *format, ...)
{
    if (error == NULL)
        return status;
    error->status = status;
    snprintf(error->code, sizeof error->code, "%s", code);
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return status;
}

pawl_status pawl_error_wrap(pawl_error *error, const char *format, ...)
{
    if (error == NULL)
        return PAWL_E_FAILED;
    char context[512];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    char inner[sizeof error->message];
    memcpy(inner, error->message, sizeof inner);
    int written = snprintf(error->message, sizeof error->message, "%s: ", context);
    size_t used = written < 0 ? 0 : (size_t)written;
    if (used < sizeof error->message)
        snprintf(error->message + used, sizeof error->message - used, "%s", inner);
    return error->status;
}

static void copy_text(char *to, size_t room, pawl_bytes from)
{
    size_t size = from.size < room - 1 ? from.size : room - 1;
    if (size > 0)
        memcpy(to, from.data, size);
    to[size] = '\0';
}

pawl_status pawl_error_from_failure(pawl_error *error, pawl_status status, const pawl_failure *failure)
{
    if (error == NULL)
        return status;
    if (failure == NULL || (failure->code.size == 0 && failure->message.size == 0))
        return pawl_error_set(error, status, pawl_status_name(status), "%s (no details were given)",
                              pawl_status_name(status));
    error->status = status;
    copy_text(error->code, sizeof error->code, failure->code);
    copy_text(error->message, sizeof error->message, failure->message);
    return status;
}
