/* calendar.h: when something is to happen: cron expressions in a time zone, an interval, or both; and what comes next.
 * Pure but for the system's zone files, which it reads when it is made. Never looks at a clock. A calendar that is made
 * is read-only: [any].
 *
 * Where clocks are put forward, a time of day that a cron expression names and that does not exist becomes the moment
 * right after the gap. Where they are put back, a time of day that comes twice counts the first time only. Expressions
 * for every hour ("*" as the hour) go by the passing of time instead: they neither pause nor bunch up. So does cron. */
#ifndef PAWL_SCHEDULE_CALENDAR_H
#define PAWL_SCHEDULE_CALENDAR_H

#include "cron.h"

#define PAWL_CALENDAR_CRONS_MAX    16u
#define PAWL_CALENDAR_INTERVAL_MIN UINT64_C(1000000000)           /* ns */
#define PAWL_CALENDAR_TIME_MAX     UINT64_C(16725225600000000000) /* 2500-01-01 */

/** Zero-initialise; what it owns is the zone. */
typedef struct pawl_calendar {
    pawl_cron crons[PAWL_CALENDAR_CRONS_MAX];
    size_t cron_count;
    uint64_t interval_ns;   /* 0: none; from the beginning of 1970 on */
    uint64_t offset_ns;     /* less than interval_ns */
    pawl_zone *zone;        /* never NULL when there are crons */
    uint64_t from_unix_ns;  /* nothing before it; 0: no such bound */
    uint64_t until_unix_ns; /* nothing behind it; 0: no such bound */
    uint64_t jitter_ns;     /* each time is put off by less than this, and never beyond the next time */
    uint64_t seed;          /* what the jitter is made from, with the time */
} pawl_calendar;

void pawl_calendar_finish(pawl_calendar *calendar);

/** The first time behind `after`, without jitter; 0: there is none. */
uint64_t pawl_calendar_next(const pawl_calendar *calendar, uint64_t after_unix_ns);
/** When one of its times is due, with jitter: the same whenever it is asked. Never earlier than `time`, never later
 * than the time behind it. */
uint64_t pawl_calendar_due(const pawl_calendar *calendar, uint64_t time_unix_ns);
/** How many times there are in (after, until]; stops counting at `most`. */
uint64_t pawl_calendar_count(const pawl_calendar *calendar, uint64_t after_unix_ns, uint64_t until_unix_ns,
                             uint64_t most);

#endif
