/* spec.h: what a schedule is told to do, as JSON that people write: when, what to start, and what to do about runs that
 * overlap or were missed. Owns what it has read. Strict: an unknown member or a value that would be bent is refused,
 * with the member's name. Knows no host: whether a process type exists is for others to say. [any]
 *
 *     {"cron": ["0 8 * * mon-fri"], "time_zone": "Europe/Berlin", "every": "15m", "offset": "30s", "jitter": "10s",
 *      "from": "2026-01-01T00:00:00Z", "until": "...", "type": "shop.report", "input": {...}, "session": "s", "key":
 * "k", "priority": 3, "attributes": {...}, "deadline": "1h", "overlap": "skip", "catch_up": "1h"} */
#ifndef PAWL_SCHEDULE_SPEC_H
#define PAWL_SCHEDULE_SPEC_H

#include "calendar.h"

#include <jansson.h>

#define PAWL_SCHEDULE_TYPE            "pawl.schedule" /* the process type */
#define PAWL_SCHEDULE_ID_PREFIX       "schedule:"     /* of the process id, the name behind it */
#define PAWL_SCHEDULE_NAME_BYTES_MAX  128u
#define PAWL_SCHEDULE_INPUT_BYTES_MAX 65536u /* of all of a spec as JSON */
#define PAWL_SCHEDULE_NOTE_BYTES_MAX  1024u

/** What happens at a time when an earlier run has not ended. */
enum {
    PAWL_OVERLAP_SKIP,
    PAWL_OVERLAP_BUFFER_ONE,
    PAWL_OVERLAP_ALLOW,
    PAWL_OVERLAP_CANCEL_OTHER,
    PAWL_OVERLAP_TERMINATE_OTHER,
};

typedef struct pawl_schedule_spec {
    json_t *json; /* in normal form: two that mean the same are equal; the texts below are in it */
    pawl_calendar calendar;
    const char *type;
    json_t *input;       /* NULL: empty */
    const char *session; /* or NULL */
    const char *key;     /* or NULL */
    uint32_t priority;
    json_t *attributes;   /* or NULL */
    uint64_t deadline_ns; /* of each run, from its start; 0: what its type says */
    uint32_t overlap;
    uint64_t catch_up_ns;
    char digest[33]; /* of the normal form: the same for those that mean the same */
} pawl_schedule_spec;

/** Where a spec is wrong: a member, and which element of it (-1: itself). */
typedef struct pawl_schedule_place {
    char member[32];
    int element;
} pawl_schedule_place;

/** Read and check.
 *  @param name        of the schedule: the jitter is made from it
 *  @param[out] ret    only set on PAWL_OK; freed with pawl_schedule_spec_finish
 *  @param[out] place  of what is wrong; may be NULL
 *  @param[out] error  PAWL_E_INVALID "schedule.invalid" or "schedule.cron", with the member's name; PAWL_E_NOMEM */
pawl_status pawl_schedule_spec_read(const char *name, const json_t *json, pawl_schedule_spec *ret,
                                    pawl_schedule_place *place, pawl_error *error);
void pawl_schedule_spec_finish(pawl_schedule_spec *spec);

/** 1 to 128 letters, digits, ".", "_" and "-". PAWL_E_INVALID "schedule.invalid_name". */
pawl_status pawl_schedule_check_name(const char *name, pawl_error *error);

/** The policy of that word; -1: none. */
int pawl_overlap_read(const char *word);

/** "250ms", "30s", "15m", "2h", "7d": a whole number and its unit. False when it is something else. */
bool pawl_span_read(const char *text, uint64_t *ret_ns);

#define PAWL_MOMENT_SIZE 32
/** "2026-11-21T08:00:00Z", with a fraction when there is one. */
void pawl_moment_write(uint64_t unix_ns, char text[PAWL_MOMENT_SIZE]);

#endif
