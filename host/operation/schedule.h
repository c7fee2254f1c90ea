/* schedule.h: what the files of the host that deal with schedules share. */
#ifndef PAWL_HOST_SCHEDULE_H
#define PAWL_HOST_SCHEDULE_H

#include "host/host_internal.h"
#include "host/schedule/spec.h"

/** How a schedule is made. */
typedef struct pawl_schedule_making {
    uint32_t flags; /* PAWL_SCHEDULE_PAUSED, PAWL_SCHEDULE_REPLACE */
    const char *note;
    bool profile; /* the profile asks for it */
    bool wait;    /* until one that is replaced has said so; otherwise only until that is durable */
} pawl_schedule_making;

/** Read a spec, and check it against the host's types and attributes. */
pawl_status pawl_schedule_check_spec(pawl_host *host, const char *name, const json_t *json, pawl_schedule_spec *ret,
                                     pawl_error *error);
/** Create, keep or replace. *ret_made: PAWL_SCHEDULE_CREATED and so on. */
pawl_status pawl_schedule_make(pawl_host *host, const char *name, const pawl_schedule_spec *spec,
                               const pawl_schedule_making *how, uint32_t *ret_made, pawl_error *error);
/** Append a page of the live ones to a list, as they are shown. *next: where to go on; 0: that was all. */
pawl_status pawl_schedule_each(pawl_host *host, uint32_t limit, uint64_t after, json_t *list, uint64_t *next,
                               pawl_error *error);
/** What has become of a process: PAWL_RUN_* (schedule/state.h). */
pawl_status pawl_schedule_look(void *host, const char *id, uint32_t *fate, pawl_error *error);

/** Make the profile's schedules what the profile says, once the host is open. (schedule_profile.c) */
pawl_status pawl_schedules_apply(pawl_host *host, pawl_error *error);

#endif
