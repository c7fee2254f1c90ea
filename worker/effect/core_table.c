/* core_table.c: see core_table.h. Thin: every function checks what a plugin may get wrong (NULL) and hands over. */
#include "core_table.h"

#include "cancel.h"
#include "worker/base/sink.h"

static pawl_status PAWL_CALL core_sink_write(pawl_sink *sink, const void *data, size_t size)
{
    return pawl_sink_write(sink, data, size);
}

static void PAWL_CALL core_fail(pawl_failure_sink *sink, const pawl_failure *failure)
{
    pawl_failure_tell(sink, failure);
}

static int32_t PAWL_CALL core_cancel_requested(const pawl_cancel_token *token)
{
    return pawl_cancel_is_asked(token);
}

static int32_t PAWL_CALL core_cancel_fd(const pawl_cancel_token *token)
{
    return pawl_cancel_fd(token);
}

static void PAWL_CALL core_complete(pawl_completion *completion, pawl_status status, pawl_bytes result,
                                    const pawl_failure *failure)
{
    if (completion != NULL)
        completion->complete(completion, status, result, failure);
}

static const pawl_host_data *data_of(const pawl_host_root *host)
{
    return host == NULL ? NULL : host->host_data;
}

static void PAWL_CALL core_log(const pawl_host_root *host, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    const pawl_host_data *data = data_of(host);
    if (data != NULL)
        pawl_log_plugin(data->log, level, data->source, message, fields_json);
}

static const pawl_clock *clock_of(const pawl_host_root *host)
{
    const pawl_host_data *data = data_of(host);
    return data == NULL || data->clock == NULL ? pawl_clock_system() : data->clock;
}

static uint64_t PAWL_CALL core_mono_now(const pawl_host_root *host)
{
    const pawl_clock *clock = clock_of(host);
    return clock->mono_ns(clock);
}

static uint64_t PAWL_CALL core_unix_now(const pawl_host_root *host)
{
    const pawl_clock *clock = clock_of(host);
    return clock->unix_ns(clock);
}

const pawl_core *pawl_core_table(void)
{
    static const pawl_core table = {
        .struct_size = sizeof(pawl_core),
        .sink_write = core_sink_write,
        .fail = core_fail,
        .cancel_requested = core_cancel_requested,
        .cancel_fd = core_cancel_fd,
        .complete = core_complete,
        .log = core_log,
        .mono_now_ns = core_mono_now,
        .unix_now_ns = core_unix_now,
    };
    return &table;
}
