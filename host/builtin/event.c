/* event.c: "pawl.event.append": process code appends an event to its own process. A call like any other; the
 * event's key makes it stand once however often the call is tried. */
#include "host/builtin/builtin.h"

#include "host/host_internal.h"
#include "worker/base/sink.h"
#include "worker/effect/context.h"

#include <inttypes.h>
#include <string.h>

#define NAME_BYTES_MAX 256u

static pawl_status invalid(pawl_builtin_call *own)
{
    return pawl_builtin_fail(own, PAWL_E_INVALID, PAWL_TERMINAL, "event.invalid",
                             "an event is \"SIZE SIZE\\n\", its type, its key, its payload; no NUL in the first two",
                             NULL);
}

static bool to_text(pawl_bytes from, char text[NAME_BYTES_MAX + 1])
{
    if (from.size > NAME_BYTES_MAX || (from.size > 0 && memchr(from.data, '\0', from.size) != NULL))
        return false;
    if (from.size > 0)
        memcpy(text, from.data, from.size);
    text[from.size] = '\0';
    return true;
}

/* What the host said of it. Nothing but what may pass by itself is worth another try. */
static pawl_status refuse(pawl_builtin_call *own, pawl_status status, const pawl_error *error)
{
    bool passes = status == PAWL_E_FULL || status == PAWL_E_IO || status == PAWL_E_BUSY || status == PAWL_E_NOMEM ||
                  status == PAWL_E_CLOSED;
    return pawl_builtin_fail(own, status, passes ? PAWL_RETRYABLE : PAWL_TERMINAL, error->code, error->message, NULL);
}

pawl_status pawl_builtin_event_append(pawl_builtin_call *own)
{
    char id[PAWL_ID_BYTES_MAX + 1];
    char type[NAME_BYTES_MAX + 1];
    char key[NAME_BYTES_MAX + 1];
    pawl_bytes line, given_type, given_key;
    uint64_t type_size = 0;
    uint64_t key_size = 0;
    pawl_bytes input = own->call->input;
    if (!pawl_builtin_line(&input, &line) || !pawl_builtin_number(&line, &type_size) ||
        !pawl_builtin_number(&line, &key_size) || line.size > 0 || !pawl_builtin_take(&input, type_size, &given_type) ||
        !pawl_builtin_take(&input, key_size, &given_key) || !to_text(given_type, type) || !to_text(given_key, key) ||
        !to_text(own->call->context->process, id))
        return invalid(own);
    pawl_status status = key[0] == '\0' ? pawl_builtin_key(own, key) : PAWL_OK;
    if (status != PAWL_OK)
        return status;
    pawl_host *host = (pawl_host *)((char *)own->facet - offsetof(struct pawl_host, attachments));
    const pawl_event event = {.struct_size = sizeof event, .type = type, .key = key, .payload = input};
    pawl_event_appended appended;
    pawl_error error = {0};
    status = pawl_host_append_event(host, id, &event, &appended, &error);
    return status == PAWL_OK ? pawl_builtin_writef(own, "%" PRIu64, appended.sequence) : refuse(own, status, &error);
}
