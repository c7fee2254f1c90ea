/* fake_schedule.c: the schedules of the fake host: it has none. What they do is tested on real hosts. */
#include <pawl/pawl.h>

#include "worker/base/error.h"

static pawl_status unknown(const char *name, pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOT_FOUND, "unknown_schedule", "there is no schedule \"%s\"", name);
}

pawl_status pawl_host_schedule_create(pawl_host *host, const char *name, pawl_bytes spec_json, uint32_t flags,
                                      const char *note, uint32_t *ret_made, pawl_error *error)
{
    (void)host;
    (void)spec_json;
    (void)flags;
    (void)note;
    (void)ret_made;
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "unsupported", "the fake host makes no schedule \"%s\"", name);
}

pawl_status pawl_host_schedule_show(pawl_host *host, const char *name, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)ret_json;
    return unknown(name, error);
}

pawl_status pawl_host_schedule_list(pawl_host *host, uint32_t limit, uint64_t after, pawl_text *ret_json,
                                    pawl_error *error)
{
    (void)host;
    (void)limit;
    (void)after;
    (void)ret_json;
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "unsupported", "the fake host lists no schedules");
}

pawl_status pawl_host_schedule_pause(pawl_host *host, const char *name, const char *note, pawl_error *error)
{
    (void)host;
    (void)note;
    return unknown(name, error);
}

pawl_status pawl_host_schedule_resume(pawl_host *host, const char *name, pawl_error *error)
{
    (void)host;
    return unknown(name, error);
}

pawl_status pawl_host_schedule_trigger(pawl_host *host, const char *name, const char *overlap, const char *request_id,
                                       pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)overlap;
    (void)request_id;
    (void)ret_json;
    return unknown(name, error);
}

pawl_status pawl_host_schedule_backfill(pawl_host *host, const char *name, const char *from, const char *to,
                                        const char *overlap, const char *request_id, pawl_text *ret_json,
                                        pawl_error *error)
{
    (void)host;
    (void)from;
    (void)to;
    (void)overlap;
    (void)request_id;
    (void)ret_json;
    return unknown(name, error);
}

pawl_status pawl_host_schedule_delete(pawl_host *host, const char *name, pawl_error *error)
{
    (void)host;
    return unknown(name, error);
}
