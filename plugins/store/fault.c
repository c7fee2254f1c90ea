/* fault.c: see fault.h. Fixed buffers, so that reporting a fault cannot itself run out of memory. */
#include "fault.h"

#undef pawl_fault_set /* the analyser's */
#undef pawl_fault_nomem

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

pawl_status pawl_fault_set(pawl_fault *fault, pawl_status status, const char *code, const char *format, ...)
{
    if (fault == NULL)
        return status;
    fault->status = status;
    snprintf(fault->code, sizeof fault->code, "%s", code);
    va_list args;
    va_start(args, format);
    vsnprintf(fault->message, sizeof fault->message, format, args);
    va_end(args);
    return status;
}

void pawl_fault_append(pawl_fault *fault, const char *text)
{
    if (fault == NULL)
        return;
    size_t used = strlen(fault->message);
    snprintf(fault->message + used, sizeof fault->message - used, "%s", text);
}

pawl_status pawl_fault_nomem(pawl_fault *fault)
{
    return pawl_fault_set(fault, PAWL_E_NOMEM, "store.out_of_memory", "out of memory");
}

static uint32_t klass_of(pawl_status status)
{
    switch (status) {
    case PAWL_E_NOMEM:
    case PAWL_E_FULL:
    case PAWL_E_BUSY:
        return PAWL_RETRYABLE;
    case PAWL_E_IO:
        return PAWL_UNKNOWN_OUTCOME; /* a failed flush does not say what reached the device */
    default:
        return PAWL_TERMINAL;
    }
}

pawl_status pawl_fault_emit(const pawl_core *core, pawl_failure_sink *why, const pawl_fault *fault)
{
    if (why == NULL || fault->status == PAWL_OK || core->fail == NULL)
        return fault->status;
    pawl_failure failure = {
        .struct_size = sizeof failure,
        .klass = klass_of(fault->status),
        .code = {fault->code, strlen(fault->code)},
        .message = {fault->message, strlen(fault->message)},
    };
    core->fail(why, &failure);
    return fault->status;
}

const char *pawl_fault_text(pawl_bytes bytes, char *buffer, size_t size)
{
    const unsigned char *data = bytes.data;
    size_t used = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        if (used + 8 > size) {
            memcpy(buffer + used, "...", 4);
            return buffer;
        }
        if (data[i] >= 0x20 && data[i] != 0x7f)
            buffer[used++] = (char)data[i];
        else
            used += (size_t)snprintf(buffer + used, 5, "\\x%02x", data[i]);
    }
    buffer[used] = '\0';
    return buffer;
}

const char *pawl_fault_hex(pawl_bytes bytes, char *buffer, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *data = bytes.data;
    size_t used = 0;
    for (size_t i = 0; i < bytes.size && used + 3 <= size; i++) {
        buffer[used++] = digits[data[i] >> 4];
        buffer[used++] = digits[data[i] & 15];
    }
    buffer[used] = '\0';
    return buffer;
}
