/* pawl_plugin.h: comforts for the author of a plugin, and nothing a plugin could not do without. Header-only; C99 and
 * later, C++11 and later (C++98 compilers that know vsnprintf do too). It keeps no state: everything is a macro that
 * writes down constants or a static function over the host's tables. It never becomes part of the ABI: what a binary
 * contains of it is the binary's own.
 *
 * A whole connector:
 *
 *     #include <pawl_plugin.h>
 *     #define MANIFEST "{\"manifest_version\":1, \"id\":\"com.example.echo\", ... }"
 *     static pawl_status invoke(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out,
 *                               pawl_failure_sink *why)
 *     {
 *         const pawl_core *core = pawl_core_of(call->host);
 *         if (call->input.size == 0)
 *             return pawl_fail_with(core, why, PAWL_TERMINAL, "echo.empty", "nothing to echo");
 *         return pawl_write(core, out, call->input.data, call->input.size);
 *     }
 *     PAWL_CONNECTOR_TABLE(table, create, destroy, invoke, NULL, NULL);
 *     PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_CONNECTOR, &table);
 *     PAWL_PLUGIN("com.example.echo", "1.0.0", "Example", MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
 */
#ifndef PAWL_PLUGIN_H
#define PAWL_PLUGIN_H

#include "pawl_abi.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
#define PAWL_EXTERN_C_ extern "C"
#else
#define PAWL_EXTERN_C_
#endif
#if defined(__GNUC__)
#define PAWL_INLINE_                      static __inline__ __attribute__((unused))
#define PAWL_PRINTF_(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define PAWL_NOTE_PLACE_                  __attribute__((section(".note.pawl"), used, aligned(4))) PAWL_NOTE_BARE_
#else
#define PAWL_INLINE_ static
#define PAWL_PRINTF_(format_at, first_at)
#define PAWL_NOTE_PLACE_
#endif
#if defined(__clang__) /* a red zone around the note would make it unreadable */
#define PAWL_NOTE_BARE_ __attribute__((no_sanitize("address")))
#else
#define PAWL_NOTE_BARE_
#endif

/* The lowest host minor this plugin can work with. Define it before the include when members that came later are
 * needed; a plugin that merely uses them when they are there leaves it alone. */
#ifndef PAWL_PLUGIN_NEEDS_MINOR
#define PAWL_PLUGIN_NEEDS_MINOR 0
#endif

/* ---- the entry -------------------------------------------------------------------------------------------------- */

/* The note alone, from a string literal; PAWL_PLUGIN uses it. It is followed by an empty note of which the first word
 * is the literal's padding, so that the section is a well-formed list whatever the manifest's length. */
#define PAWL_MANIFEST_NOTE_(plugin_manifest)                                                                           \
    static const struct {                                                                                              \
        uint32_t name_size;                                                                                            \
        uint32_t descriptor_size;                                                                                      \
        uint32_t type;                                                                                                 \
        char name[8];                                                                                                  \
        char descriptor[(sizeof(plugin_manifest) + 2) / 4 * 4 + 4];                                                    \
        uint32_t end_descriptor_size;                                                                                  \
        uint32_t end_type;                                                                                             \
    } pawl_plugin_note_ PAWL_NOTE_PLACE_ = {sizeof(PAWL_NOTE_NAME),                                                    \
                                            (uint32_t)(sizeof(plugin_manifest) - 1),                                   \
                                            PAWL_NOTE_TYPE_MANIFEST,                                                   \
                                            PAWL_NOTE_NAME,                                                            \
                                            plugin_manifest,                                                           \
                                            0,                                                                         \
                                            0}

/* The entry. The manifest (a string literal) is written into the ELF note, and the root points at the very same bytes:
 * they cannot differ. At file scope, once per plugin; end it with a semicolon. */
#define PAWL_PLUGIN(plugin_id, plugin_version, plugin_vendor, plugin_manifest, plugin_init, plugin_deinit,             \
                    plugin_get_factory)                                                                                \
    PAWL_MANIFEST_NOTE_(plugin_manifest);                                                                              \
    PAWL_EXTERN_C_ PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void);                                     \
    PAWL_EXTERN_C_ PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void)                                      \
    {                                                                                                                  \
        static const pawl_plugin_root root = {sizeof(pawl_plugin_root),                                                \
                                              PAWL_ABI_MAJOR,                                                          \
                                              PAWL_PLUGIN_NEEDS_MINOR,                                                 \
                                              plugin_id,                                                               \
                                              plugin_version,                                                          \
                                              plugin_vendor,                                                           \
                                              {pawl_plugin_note_.descriptor, sizeof(plugin_manifest) - 1},             \
                                              plugin_init,                                                             \
                                              plugin_deinit,                                                           \
                                              plugin_get_factory};                                                     \
        return &root;                                                                                                  \
    }                                                                                                                  \
    struct pawl_plugin_end_

/* The same for a plugin that is linked into the host program: no note, and the entry is a function of this name, which
 * the program hands to the host. Declare it in a header of its own. */
#define PAWL_LINKED_PLUGIN(function, plugin_id, plugin_version, plugin_vendor, plugin_manifest, plugin_init,           \
                           plugin_deinit, plugin_get_factory)                                                          \
    PAWL_EXTERN_C_ const pawl_plugin_root *function(void)                                                              \
    {                                                                                                                  \
        static const pawl_plugin_root root = {sizeof(pawl_plugin_root),                                                \
                                              PAWL_ABI_MAJOR,                                                          \
                                              PAWL_PLUGIN_NEEDS_MINOR,                                                 \
                                              plugin_id,                                                               \
                                              plugin_version,                                                          \
                                              plugin_vendor,                                                           \
                                              {plugin_manifest, sizeof(plugin_manifest) - 1},                          \
                                              plugin_init,                                                             \
                                              plugin_deinit,                                                           \
                                              plugin_get_factory};                                                     \
        return &root;                                                                                                  \
    }                                                                                                                  \
    struct pawl_plugin_end_

/* ---- tables: each sets its own size ----------------------------------------------------------------------------- */

#define PAWL_EFFECT_TABLE(name, execute, start, reconcile)                                                             \
    static const pawl_effect_table name = {sizeof(pawl_effect_table), 0, execute, start, reconcile}
#define PAWL_CONNECTOR_TABLE(name, create, destroy, invoke, start, reconcile)                                          \
    static const pawl_connector_table name = {                                                                         \
        sizeof(pawl_connector_table), 0, create, destroy, invoke, start, reconcile}
#define PAWL_MIDDLEWARE_TABLE(name, create, destroy, before, after, describe)                                          \
    static const pawl_middleware_table name = {                                                                        \
        sizeof(pawl_middleware_table), 0, create, destroy, before, after, describe}
#define PAWL_OBSERVER_TABLE(name, create, destroy, observe, describe)                                                  \
    static const pawl_observer_table name = {sizeof(pawl_observer_table), 0, create, destroy, observe, describe}
#define PAWL_PROCESS_TABLE(name, activate)                                                                             \
    static const pawl_process_table name = {sizeof(pawl_process_table), 0, activate}

/* A get_factory that knows one table; write your own for more. */
#define PAWL_FACTORY_OF(function, factory_id, table)                                                                   \
    static const void *PAWL_CALL function(const char *wanted)                                                          \
    {                                                                                                                  \
        return strcmp(wanted, factory_id) == 0 ? (const void *)(table) : (const void *)0;                              \
    }                                                                                                                  \
    struct pawl_plugin_end_

/* ---- the host --------------------------------------------------------------------------------------------------- */

/* [any] The host's core table, the same for every host in the program; NULL only when host is NULL or broken. */
PAWL_INLINE_ const pawl_core *pawl_core_of(const pawl_host_root *host)
{
    return host == NULL || host->get_extension == NULL ? (const pawl_core *)0
                                                       : (const pawl_core *)host->get_extension(host, PAWL_EXT_CORE);
}

/* [loader] init and deinit of a plugin that has nothing to set up. */
PAWL_INLINE_ pawl_status PAWL_CALL pawl_plain_init(const pawl_host_root *host, pawl_bytes config_json,
                                                   pawl_failure_sink *why)
{
    (void)config_json;
    (void)why;
    return pawl_core_of(host) == NULL ? PAWL_E_UNSUPPORTED : PAWL_OK;
}

PAWL_INLINE_ void PAWL_CALL pawl_plain_deinit(const pawl_host_root *host)
{
    (void)host;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

/* [any] The bytes of a NUL-terminated text, without the NUL; NULL gives none. */
PAWL_INLINE_ pawl_bytes pawl_bytes_of_text(const char *text)
{
    pawl_bytes bytes;
    bytes.data = text;
    bytes.size = text == NULL ? 0 : strlen(text);
    return bytes;
}

/* [any] Bytes from a place and a length. */
PAWL_INLINE_ pawl_bytes pawl_bytes_of(const void *data, size_t size)
{
    pawl_bytes bytes;
    bytes.data = data;
    bytes.size = size;
    return bytes;
}

/* [any] Non-zero when both hold the same bytes. */
PAWL_INLINE_ int pawl_bytes_equal(pawl_bytes a, pawl_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* [any] Non-zero when the bytes spell this text: `if (pawl_is(call->operation, "get"))`. */
PAWL_INLINE_ int pawl_is(pawl_bytes bytes, const char *text)
{
    return pawl_bytes_equal(bytes, pawl_bytes_of_text(text));
}

/* ---- results ---------------------------------------------------------------------------------------------------- */

/* [any] Append to a result. */
PAWL_INLINE_ pawl_status pawl_write(const pawl_core *core, pawl_sink *sink, const void *data, size_t size)
{
    return core->sink_write(sink, data, size);
}

/* [any] Append a NUL-terminated text. */
PAWL_INLINE_ pawl_status pawl_write_text(const pawl_core *core, pawl_sink *sink, const char *text)
{
    return core->sink_write(sink, text, strlen(text));
}

/* [any] Append formatted text of any length. */
PAWL_INLINE_ pawl_status pawl_writef(const pawl_core *core, pawl_sink *sink, const char *format, ...)
    PAWL_PRINTF_(3, 4);
PAWL_INLINE_ pawl_status pawl_writef(const pawl_core *core, pawl_sink *sink, const char *format, ...)
{
    char small[512];
    char *large;
    int size;
    pawl_status status;
    va_list args;
    va_start(args, format);
    size = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (size < 0)
        return PAWL_E_INVALID;
    if ((size_t)size < sizeof small)
        return core->sink_write(sink, small, (size_t)size);
    large = (char *)malloc((size_t)size + 1);
    if (large == NULL)
        return PAWL_E_NOMEM;
    va_start(args, format);
    vsnprintf(large, (size_t)size + 1, format, args);
    va_end(args);
    status = core->sink_write(sink, large, (size_t)size);
    free(large);
    return status;
}

/* [any] Append bytes (UTF-8) as a JSON string, quotes included. */
PAWL_INLINE_ pawl_status pawl_write_json_string(const pawl_core *core, pawl_sink *sink, pawl_bytes text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t i, from = 0;
    pawl_status status = core->sink_write(sink, "\"", 1);
    for (i = 0; i < text.size && status == PAWL_OK; i++) {
        char escape[8];
        if (bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\')
            continue;
        if (i > from)
            status = core->sink_write(sink, bytes + from, i - from);
        from = i + 1;
        if (bytes[i] == '"' || bytes[i] == '\\') {
            escape[0] = '\\';
            escape[1] = (char)bytes[i];
            escape[2] = '\0';
        } else {
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)bytes[i]);
        }
        if (status == PAWL_OK)
            status = core->sink_write(sink, escape, strlen(escape));
    }
    if (status == PAWL_OK && text.size > from)
        status = core->sink_write(sink, bytes + from, text.size - from);
    return status == PAWL_OK ? core->sink_write(sink, "\"", 1) : status;
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

/* The longest message a host keeps; what is longer is cut. */
#define PAWL_MESSAGE_MAX_ 4096

/* A failure made of constants and borrowed texts; the texts must live until it has been handed over. */
PAWL_INLINE_ pawl_failure pawl_failure_of(uint32_t klass, const char *code, const char *message,
                                          uint64_t retry_after_ns)
{
    pawl_failure failure;
    memset(&failure, 0, sizeof failure);
    failure.struct_size = sizeof failure;
    failure.klass = klass;
    failure.code = pawl_bytes_of_text(code);
    failure.message = pawl_bytes_of_text(message);
    failure.retry_after_ns = retry_after_ns;
    return failure;
}

/* [any] Say why, and get the status to return: `return pawl_fail_with(core, why, PAWL_TERMINAL, "shop.sold_out",
 * "item %s is sold out", name);` */
PAWL_INLINE_ pawl_status pawl_fail_with(const pawl_core *core, pawl_failure_sink *why, uint32_t klass, const char *code,
                                        const char *format, ...) PAWL_PRINTF_(5, 6);
PAWL_INLINE_ pawl_status pawl_fail_with(const pawl_core *core, pawl_failure_sink *why, uint32_t klass, const char *code,
                                        const char *format, ...)
{
    char message[PAWL_MESSAGE_MAX_ + 1];
    pawl_failure failure;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    failure = pawl_failure_of(klass, code, message, 0);
    if (core != NULL && why != NULL)
        core->fail(why, &failure);
    return PAWL_E_FAILED;
}

/* [any] A retryable failure with a floor for the next attempt. */
PAWL_INLINE_ pawl_status pawl_fail_later(const pawl_core *core, pawl_failure_sink *why, uint64_t retry_after_ns,
                                         const char *code, const char *format, ...) PAWL_PRINTF_(5, 6);
PAWL_INLINE_ pawl_status pawl_fail_later(const pawl_core *core, pawl_failure_sink *why, uint64_t retry_after_ns,
                                         const char *code, const char *format, ...)
{
    char message[PAWL_MESSAGE_MAX_ + 1];
    pawl_failure failure;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    failure = pawl_failure_of(PAWL_RETRYABLE, code, message, retry_after_ns);
    if (core != NULL && why != NULL)
        core->fail(why, &failure);
    return PAWL_E_FAILED;
}

/* [any] With a JSON object of details for programs. */
PAWL_INLINE_ pawl_status pawl_fail_detail(const pawl_core *core, pawl_failure_sink *why, uint32_t klass,
                                          const char *code, const char *message, pawl_bytes detail_json)
{
    pawl_failure failure = pawl_failure_of(klass, code, message, 0);
    failure.detail_json = detail_json;
    if (core != NULL && why != NULL)
        core->fail(why, &failure);
    return PAWL_E_FAILED;
}

/* ---- while a call runs ----------------------------------------------------------------------------------------- */

/* [any] Non-zero once the call should stop. */
PAWL_INLINE_ int pawl_call_cancelled(const pawl_core *core, const pawl_effect_call *call)
{
    return call->cancel != NULL && core->cancel_requested(call->cancel) != 0;
}

/* [any] Time left until the call's deadline: 0 when it has passed, UINT64_MAX when there is none. */
PAWL_INLINE_ uint64_t pawl_call_time_left_ns(const pawl_core *core, const pawl_effect_call *call)
{
    uint64_t now;
    if (call->deadline_mono_ns == 0)
        return ~(uint64_t)0;
    now = core->mono_now_ns(call->host);
    return now >= call->deadline_mono_ns ? 0 : call->deadline_mono_ns - now;
}

/* [any] End an asynchronous call with a result, or with a failure. */
PAWL_INLINE_ void pawl_completed(const pawl_core *core, pawl_completion *done, const void *result, size_t size)
{
    core->complete(done, PAWL_OK, pawl_bytes_of(result, size), (const pawl_failure *)0);
}

PAWL_INLINE_ void pawl_completed_failed(const pawl_core *core, pawl_completion *done, uint32_t klass, const char *code,
                                        const char *message)
{
    pawl_failure failure = pawl_failure_of(klass, code, message, 0);
    core->complete(done, PAWL_E_FAILED, pawl_bytes_of("", 0), &failure);
}

/* [any] One formatted log line. */
PAWL_INLINE_ void pawl_logf(const pawl_core *core, const pawl_host_root *host, uint32_t level, const char *format, ...)
    PAWL_PRINTF_(4, 5);
PAWL_INLINE_ void pawl_logf(const pawl_core *core, const pawl_host_root *host, uint32_t level, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    core->log(host, level, pawl_bytes_of_text(message), pawl_bytes_of("", 0));
}

#endif /* PAWL_PLUGIN_H */
