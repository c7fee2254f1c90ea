/* cron.h: cron expressions of five fields, as crontab(5) has them: read, and asked for the next time of day. Knows
 * calendars but no time zones (calendar.h does). Owns nothing. [any] */
#ifndef PAWL_SCHEDULE_CRON_H
#define PAWL_SCHEDULE_CRON_H

#include "worker/base/error.h"
#include "zone.h"

#include <stdbool.h>

#define PAWL_CRON_BYTES_MAX 256u

/** A read expression; bit n stands for the value n. */
typedef struct pawl_cron {
    uint64_t minutes;
    uint32_t hours;
    uint32_t days;
    uint32_t months;
    uint32_t weekdays; /* 0 is Sunday; 7 was made 0 */
    bool any_day;      /* the field of days begins with "*" */
    bool any_weekday;
    bool every_hour; /* all hours: it goes by the passing of time, not by the hour of the day */
} pawl_cron;

/** Read "MINUTE HOUR DAY MONTH WEEKDAY" or one of @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually).
 *  A field is a list of "*", a value, "a-b", each with "/step"; months and weekdays also by their English names of
 * three letters. When both days and weekdays are restricted, either is enough, as in cron.
 *  @param[out] ret_column  of the mistake, from 1; may be NULL
 *  @param[out] error       PAWL_E_INVALID "schedule.cron": the column, what was found and what was wanted; also for an
 *                          expression that no day fits */
pawl_status pawl_cron_read(const char *text, pawl_cron *ret, uint32_t *ret_column, pawl_error *error);

/** Does the clock, to the minute, show one of its times? */
bool pawl_cron_fits(const pawl_cron *cron, const pawl_civil *civil);

/** Move *civil (seconds are set to 0) to the first of its times at or after it. False when there is none before the
 * year 2500. */
bool pawl_cron_forward(const pawl_cron *cron, pawl_civil *civil);

#endif
