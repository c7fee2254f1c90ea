/* error.c: see error.h. */
#include "plugins/connector/error.h"

#undef pawl_connector_fail /* the analyser's */
#undef pawl_connector_fail_memory

static pawl_status fill(pawl_connector_error *error, pawl_status status, uint32_t klass, const char *code,
                        const char *format, va_list args)
{
    if (error->status != PAWL_OK)
        return error->status;
    error->status = status;
    error->klass = klass;
    snprintf(error->code, sizeof error->code, "%s", code);
    vsnprintf(error->message, sizeof error->message, format, args);
    return status;
}

pawl_status pawl_connector_fail(pawl_connector_error *error, uint32_t klass, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pawl_status status = fill(error, PAWL_E_FAILED, klass, code, format, args);
    va_end(args);
    return status;
}

pawl_status pawl_connector_fail_as(pawl_connector_error *error, pawl_status status, uint32_t klass, const char *code,
                                   const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pawl_status filled = fill(error, status, klass, code, format, args);
    va_end(args);
    return filled;
}

pawl_status pawl_connector_fail_told(pawl_connector_error *error, pawl_status status)
{
    if (error->status == PAWL_OK) {
        error->status = status;
        error->told = true;
    }
    return error->status;
}

pawl_status pawl_connector_fail_memory(pawl_connector_error *error)
{
    return pawl_connector_fail_as(error, PAWL_E_NOMEM, PAWL_RETRYABLE, "no_memory", "out of memory");
}

/* A message is cut at its end without splitting a character: a host may refuse text that is not UTF-8. */
static size_t whole_characters(const char *text, size_t size)
{
    size_t i = size;
    while (i > 0 && ((unsigned char)text[i - 1] & 0xC0) == 0x80)
        i--;
    if (i == 0)
        return size;
    unsigned char lead = (unsigned char)text[i - 1];
    size_t wanted = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return size - (i - 1) < wanted ? i - 1 : size;
}

pawl_status pawl_connector_report(pawl_connector_error *error, const pawl_core *core, pawl_failure_sink *why)
{
    if (error->status != PAWL_OK && !error->told && why != NULL) {
        pawl_failure failure = pawl_failure_of(error->klass, error->code, error->message, error->retry_after_ns);
        failure.message.size = whole_characters(error->message, failure.message.size);
        char *detail = error->detail == NULL ? NULL : json_dumps(error->detail, JSON_COMPACT);
        failure.detail_json = pawl_bytes_of_text(detail);
        core->fail(why, &failure);
        free(detail);
    }
    json_decref(error->detail);
    error->detail = NULL;
    return error->status;
}
