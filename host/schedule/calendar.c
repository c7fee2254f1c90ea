/* calendar.c: see calendar.h. All arithmetic is on whole seconds of the zone and nanoseconds since 1970; a time beyond
 * 2500 does not come. */
#include "calendar.h"

#include <xxhash.h>

#define NS INT64_C(1000000000)

void pawl_calendar_finish(pawl_calendar *calendar)
{
    calendar->zone = pawl_zone_close(calendar->zone);
}

static int64_t minute_of_day(const pawl_civil *civil)
{
    return (int64_t)civil->hour * 60 + civil->minute;
}

/* How far to go from a minute that does not fit to the next that may, as far as no change of the clock lies between:
 * to a time of the same day, or to the next midnight. 0: there is none any more. */
static int64_t leap(const pawl_calendar *calendar, const pawl_cron *cron, int64_t at, const pawl_civil *civil)
{
    pawl_civil wanted = *civil;
    pawl_civil there;
    if (!pawl_cron_forward(cron, &wanted))
        return 0;
    bool today = wanted.day == civil->day && wanted.month == civil->month && wanted.year == civil->year;
    int64_t minutes = (today ? minute_of_day(&wanted) : INT64_C(24) * 60) - minute_of_day(civil);
    pawl_zone_civil(calendar->zone, at + minutes * 60, &there);
    bool straight = minute_of_day(&there) == (today ? minute_of_day(&wanted) : 0) && there.second == 0;
    return straight ? minutes * 60 : 60;
}

/* Of the passing of time: every moment whose minute on the clock fits, in a repeated hour twice. */
static int64_t next_passing(const pawl_calendar *calendar, const pawl_cron *cron, int64_t after)
{
    pawl_civil civil;
    int64_t at = after + 1;
    for (;;) {
        pawl_zone_civil(calendar->zone, at, &civil);
        if (civil.second != 0) {
            at += 60 - civil.second;
            continue;
        }
        if (pawl_cron_fits(cron, &civil))
            return at;
        int64_t step = leap(calendar, cron, at, &civil);
        if (step == 0)
            return 0;
        at += step;
    }
}

/* Of the time of day: what a gap swallows comes right behind it, what comes twice counts the first time. */
static int64_t next_of_day(const pawl_calendar *calendar, const pawl_cron *cron, int64_t after)
{
    pawl_civil civil;
    pawl_zone_civil(calendar->zone, after, &civil);
    while (pawl_cron_forward(cron, &civil)) {
        int64_t first, second;
        (void)pawl_zone_moment(calendar->zone, &civil, &first, &second);
        if (first > after)
            return first;
        if (civil.minute < 59) {
            civil.minute++;
        } else if (civil.hour < 23) {
            civil.hour++;
            civil.minute = 0;
        } else { /* pawl_cron_forward takes it for a day that is over */
            civil.hour = 24;
        }
    }
    return 0;
}

static uint64_t next_of_interval(const pawl_calendar *calendar, uint64_t after)
{
    uint64_t interval = calendar->interval_ns;
    uint64_t offset = calendar->offset_ns;
    if (after < offset)
        return offset;
    return after + (interval - (after - offset) % interval);
}

uint64_t pawl_calendar_next(const pawl_calendar *calendar, uint64_t after)
{
    uint64_t next = 0;
    if (calendar->from_unix_ns > 0 && after < calendar->from_unix_ns - 1)
        after = calendar->from_unix_ns - 1;
    if (after >= PAWL_CALENDAR_TIME_MAX)
        return 0;
    if (calendar->interval_ns > 0)
        next = next_of_interval(calendar, after);
    for (size_t i = 0; i < calendar->cron_count; i++) {
        const pawl_cron *cron = &calendar->crons[i];
        int64_t seconds = (int64_t)(after / (uint64_t)NS);
        int64_t found = cron->every_hour ? next_passing(calendar, cron, seconds) : next_of_day(calendar, cron, seconds);
        if (found > 0 && (next == 0 || (uint64_t)(found * NS) < next))
            next = (uint64_t)(found * NS);
    }
    bool beyond = calendar->until_unix_ns > 0 && next > calendar->until_unix_ns;
    return beyond || next > PAWL_CALENDAR_TIME_MAX ? 0 : next;
}

uint64_t pawl_calendar_due(const pawl_calendar *calendar, uint64_t time)
{
    uint64_t span = calendar->jitter_ns;
    if (span == 0)
        return time;
    uint64_t next = pawl_calendar_next(calendar, time);
    if (next != 0 && next - time < span)
        span = next - time;
    return time + XXH3_64bits_withSeed(&time, sizeof time, calendar->seed) % span;
}

uint64_t pawl_calendar_count(const pawl_calendar *calendar, uint64_t after, uint64_t until, uint64_t most)
{
    uint64_t count = 0;
    for (uint64_t at = pawl_calendar_next(calendar, after); at != 0 && at <= until && count < most;
         at = pawl_calendar_next(calendar, at))
        count++;
    return count;
}
