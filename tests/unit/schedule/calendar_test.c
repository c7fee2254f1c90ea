/* calendar_test.c: what comes next, against instants that Python's zoneinfo gave, and against a walk over every minute
 * with the C library's own idea of the zones. */
#include "host/schedule/calendar.h"
#include "worker/base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* after those */
#include <cmocka.h>

#define NS     UINT64_C(1000000000)
#define MINUTE 60
#define HOUR   (60 * MINUTE)

static uint64_t moment(const char *text)
{
    int64_t unix_ns;
    assert_true(pawl_time_read(text, &unix_ns));
    return (uint64_t)unix_ns;
}

static pawl_calendar cron_in(const char *zone, const char *expression)
{
    pawl_calendar calendar = {.zone = pawl_zone_open(zone), .cron_count = 1};
    pawl_error error = {0};
    if (calendar.zone == NULL)
        fail_msg("no zone %s: is tzdata installed?", zone);
    if (pawl_cron_read(expression, &calendar.crons[0], NULL, &error) != PAWL_OK)
        fail_msg("%s", error.message);
    return calendar;
}

static void assert_moment(uint64_t found, const char *wanted, const char *what)
{
    if (found != moment(wanted))
        fail_msg("%s: found %llu, wanted %s = %llu", what, (unsigned long long)found, wanted,
                 (unsigned long long)moment(wanted));
}

static void test_times_are_those_of_the_zone_over_changes_of_the_clock(void **state)
{
    static const struct {
        const char *zone;
        const char *cron;
        const char *after;
        const char *times[6];
    } cases[] = {
        {"Europe/Berlin",
         "30 2 * * *",
         "2026-03-28T00:00:00Z",
         {"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"}},
        {"Europe/Berlin",
         "30 2 * * *",
         "2026-10-24T00:00:00Z",
         {"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"}},
        {"Europe/Berlin",
         "0,30 2 * * *",
         "2026-03-28T12:00:00Z",
         {"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"}},
        {"Europe/Berlin",
         "*/30 * * * *",
         "2026-10-25T00:10:00Z",
         {"2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z",
          "2026-10-25T02:30:00Z"}},
        {"Europe/Berlin",
         "15 * * * *",
         "2026-03-29T00:00:00Z",
         {"2026-03-29T00:15:00Z", "2026-03-29T01:15:00Z", "2026-03-29T02:15:00Z"}},
        {"America/New_York",
         "0 9 * * mon-fri",
         "2026-03-06T12:00:00Z",
         {"2026-03-06T14:00:00Z", "2026-03-09T13:00:00Z", "2026-03-10T13:00:00Z", "2026-03-11T13:00:00Z"}},
        {"America/New_York", "30 1 1 11 *", "2026-10-31T00:00:00Z", {"2026-11-01T05:30:00Z", "2027-11-01T05:30:00Z"}},
        {"Australia/Lord_Howe",
         "45 1 * * *",
         "2026-04-04T00:00:00Z",
         {"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z", "2026-04-06T15:15:00Z"}},
        {"Australia/Lord_Howe",
         "15 2 * * *",
         "2026-10-02T00:00:00Z",
         {"2026-10-02T15:45:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
        {"Asia/Kolkata", "0 8 * * *", "2026-01-01T00:00:00Z", {"2026-01-01T02:30:00Z", "2026-01-02T02:30:00Z"}},
        {"Asia/Kathmandu", "@daily", "2026-01-01T00:00:00Z", {"2026-01-01T18:15:00Z", "2026-01-02T18:15:00Z"}},
        {"America/Sao_Paulo",
         "@daily",
         "2017-10-14T00:00:00Z",
         {"2017-10-14T03:00:00Z", "2017-10-15T03:00:00Z", "2017-10-16T02:00:00Z"}},
        {"America/Sao_Paulo",
         "15 * * * *",
         "2018-02-18T01:00:00Z",
         {"2018-02-18T01:15:00Z", "2018-02-18T02:15:00Z", "2018-02-18T03:15:00Z", "2018-02-18T04:15:00Z"}},
        {"UTC", "0 0 29 2 *", "2097-01-01T00:00:00Z", {"2104-02-29T00:00:00Z"}},
        {"UTC",
         "0 0 13 * fri",
         "2026-02-10T00:00:00Z",
         {"2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z", "2026-02-27T00:00:00Z", "2026-03-06T00:00:00Z",
          "2026-03-13T00:00:00Z"}},
        {"UTC",
         "0 12 */10 * mon",
         "2026-06-01T00:00:00Z",
         {"2026-06-01T12:00:00Z", "2026-08-31T12:00:00Z", "2026-09-21T12:00:00Z"}},
        {"UTC",
         "5-59/20 23 28-31 2 *",
         "2026-02-27T00:00:00Z",
         {"2026-02-28T23:05:00Z", "2026-02-28T23:25:00Z", "2026-02-28T23:45:00Z", "2027-02-28T23:05:00Z"}},
        {"UTC", "@yearly", "2026-11-21T00:00:00Z", {"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"}},
        {"UTC", "@weekly", "2026-11-21T00:00:00Z", {"2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"}},
        {"Pacific/Apia",
         "0 10 * * *",
         "2011-12-29T00:00:00Z",
         {"2011-12-29T20:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T20:00:00Z"}},
        {"Antarctica/Troll",
         "30 1 * * *",
         "2026-03-28T00:00:00Z",
         {"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T23:30:00Z"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pawl_calendar calendar = cron_in(cases[i].zone, cases[i].cron);
        uint64_t at = moment(cases[i].after);
        char what[128];
        for (size_t k = 0; cases[i].times[k] != NULL; k++) {
            snprintf(what, sizeof what, "%s in %s, time %zu", cases[i].cron, cases[i].zone, k);
            at = pawl_calendar_next(&calendar, at);
            assert_moment(at, cases[i].times[k], what);
        }
        pawl_calendar_finish(&calendar);
    }
}

/* ---- against every minute ---- */

/* What the clock shows there, by the C library. */
static pawl_civil shown(int64_t at)
{
    struct tm tm;
    time_t seconds = (time_t)at;
    assert_non_null(localtime_r(&seconds, &tm));
    return (pawl_civil){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec};
}

static bool one_of(const char *field, int value)
{
    if (strcmp(field, "*") == 0)
        return true;
    char copy[64];
    snprintf(copy, sizeof copy, "%s", field);
    char *save = NULL;
    for (char *word = strtok_r(copy, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save))
        if (atoi(word) == value)
            return true;
    return false;
}

/* Only minute and hour: the rest is "*" here. */
static bool fits(const char *minutes, const char *hours, int minute_of_day)
{
    return one_of(minutes, minute_of_day % 60) && one_of(hours, minute_of_day / 60 % 24);
}

static int64_t civil_minutes(const pawl_civil *c)
{
    struct tm tm = {
        .tm_year = c->year - 1900, .tm_mon = c->month - 1, .tm_mday = c->day, .tm_hour = c->hour, .tm_min = c->minute};
    return timegm(&tm) / 60;
}

/* Every minute from `from` on: is it a time? Compared with what the calendar says, one after the other. */
static void walk(const char *zone, const char *minutes, const char *hours, int64_t from, int64_t until)
{
    char expression[160];
    snprintf(expression, sizeof expression, "%s %s * * *", minutes, hours);
    pawl_calendar calendar = cron_in(zone, expression);
    bool every_hour = strcmp(hours, "*") == 0;
    uint64_t next = pawl_calendar_next(&calendar, (uint64_t)from * NS);
    pawl_civil before = shown(from);
    int64_t latest = civil_minutes(&before); /* of all that the clock has shown */
    for (int64_t at = from + MINUTE; at <= until; at += MINUTE) {
        pawl_civil civil = shown(at);
        int64_t now = civil_minutes(&civil);
        bool is_time = every_hour && fits(minutes, hours, civil.hour * 60 + civil.minute);
        for (int64_t minute = latest + 1; !every_hour && minute <= now; minute++)
            is_time |= fits(minutes, hours, (int)(minute % (24 * 60)));
        latest = now > latest ? now : latest;
        if (is_time != (next == (uint64_t)at * NS))
            fail_msg("\"%s\" in %s: %lld is %s time, and the calendar says %lld is the next", expression, zone,
                     (long long)at, is_time ? "a" : "no", (long long)(next / NS));
        if (is_time)
            next = pawl_calendar_next(&calendar, next);
    }
    pawl_calendar_finish(&calendar);
}

static void test_no_minute_around_a_change_of_the_clock_is_missed_or_doubled(void **state)
{
    static const char *const zones[] = {"Europe/Berlin",     "America/New_York", "Australia/Lord_Howe",
                                        "America/Sao_Paulo", "Asia/Kathmandu",   "Antarctica/Troll"};
    static const char *const fields[][2] = {{"30", "2"},   {"0,15,59", "1,2,3"}, {"*", "0"},     {"5", "*"},
                                            {"0,30", "*"}, {"0", "0,23"},        {"59", "23,1"}, {"45", "*"}};
    int64_t from = (int64_t)(moment("2017-09-30T00:00:00Z") / NS);
    size_t changes = 0;
    (void)state;
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        setenv("TZ", zones[z], 1);
        tzset();
        for (int64_t at = from; at < from + INT64_C(400) * 24 * HOUR; at += HOUR) {
            pawl_civil now = shown(at), later = shown(at + HOUR);
            if (civil_minutes(&later) - civil_minutes(&now) == 60)
                continue;
            changes++;
            for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
                walk(zones[z], fields[f][0], fields[f][1], at - 30 * HOUR, at + 30 * HOUR);
        }
    }
    assert_true(changes >= 10);
    unsetenv("TZ");
    tzset();
}

/* ---- intervals, bounds, jitter ---- */

static void test_an_interval_goes_by_the_clock_of_1970_and_its_offset(void **state)
{
    pawl_calendar calendar = {.interval_ns = 15 * 60 * NS, .offset_ns = 60 * NS};
    (void)state;
    uint64_t at = pawl_calendar_next(&calendar, moment("2026-11-21T08:00:00Z"));
    assert_moment(at, "2026-11-21T08:01:00Z", "first");
    assert_moment(pawl_calendar_next(&calendar, at), "2026-11-21T08:16:00Z", "second");
    assert_moment(pawl_calendar_next(&calendar, at - 1), "2026-11-21T08:01:00Z", "just before");
    assert_int_equal(pawl_calendar_next(&calendar, 0), 60 * NS);
    assert_int_equal(pawl_calendar_count(&calendar, at, at + 3600 * NS, 1000), 4);
    assert_int_equal(pawl_calendar_count(&calendar, at, at + 3600 * NS, 3), 3);
}

static void test_several_are_merged_and_bounds_hold(void **state)
{
    pawl_calendar calendar = cron_in("UTC", "0 8 * * *");
    pawl_error error = {0};
    (void)state;
    assert_int_equal(pawl_cron_read("0 8,20 * * *", &calendar.crons[calendar.cron_count++], NULL, &error), PAWL_OK);
    calendar.interval_ns = 12 * 3600 * NS;
    calendar.from_unix_ns = moment("2026-11-21T12:00:00Z");
    calendar.until_unix_ns = moment("2026-11-22T08:00:00Z");
    uint64_t at = pawl_calendar_next(&calendar, 0);
    assert_moment(at, "2026-11-21T12:00:00Z", "the lower bound is a time itself");
    at = pawl_calendar_next(&calendar, at);
    assert_moment(at, "2026-11-21T20:00:00Z", "cron");
    at = pawl_calendar_next(&calendar, at);
    assert_moment(at, "2026-11-22T00:00:00Z", "interval");
    at = pawl_calendar_next(&calendar, at);
    assert_moment(at, "2026-11-22T08:00:00Z", "the upper bound is a time itself, once");
    assert_int_equal(pawl_calendar_next(&calendar, at), 0);
    assert_int_equal(pawl_calendar_next(&calendar, UINT64_MAX), 0);
    pawl_calendar_finish(&calendar);
}

static void test_jitter_is_the_same_each_time_and_stays_in_its_bounds(void **state)
{
    pawl_calendar calendar = cron_in("UTC", "*/5 * * * *");
    pawl_calendar other = calendar;
    uint64_t least = UINT64_MAX, most = 0;
    size_t differ = 0;
    (void)state;
    calendar.jitter_ns = 3600 * NS; /* longer than to the next time */
    calendar.seed = 7;
    other.jitter_ns = 10 * NS;
    other.seed = 8;
    uint64_t at = moment("2026-11-21T08:00:00Z");
    for (int i = 0; i < 1000; i++, at = pawl_calendar_next(&calendar, at)) {
        uint64_t due = pawl_calendar_due(&calendar, at);
        assert_int_equal(due, pawl_calendar_due(&calendar, at));
        assert_true(due >= at && due < at + 300 * NS);
        assert_true(pawl_calendar_due(&other, at) - at < 10 * NS);
        differ += pawl_calendar_due(&other, at) - at != (due - at) % (10 * NS);
        least = due - at < least ? due - at : least;
        most = due - at > most ? due - at : most;
    }
    assert_true(least < 10 * NS && most > 290 * NS && differ > 900); /* of a hash with fixed seeds: no chance in it */
    pawl_calendar_finish(&calendar);
}

/* ---- what is refused ---- */

static void test_nonsense_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        uint32_t column;
        const char *words;
    } cases[] = {
        {"61 * * * *", 1, "the minute is \"61\"; wanted 0 to 59"},
        {"0 24 * * *", 3, "the hour is \"24\"; wanted 0 to 23"},
        {"0 0 0 * *", 5, "the day of the month is \"0\"; wanted 1 to 31"},
        {"0 0 1 foo *", 7, "the month is \"foo\"; wanted 1 to 12 or a name, jan to dec"},
        {"0 0 * * mon-8", 13, "the day of the week is \"8\"; wanted 0 to 7 or a name, sun to sat"},
        {"0 0 * * fri-mon", 9, "goes backwards, from 5 to 1"},
        {"*/0 * * * *", 3, "the step of the minute is \"0\"; wanted 1 to 60"},
        {"*/61 * * * *", 3, "wanted 1 to 60"},
        {"0 0 * *", 8, "it ends here; wanted the day of the week"},
        {"", 1, "it ends here; wanted the minute"},
        {"0 0 * * * *", 11, "behind the fifth field"},
        {"1, * * * *", 3, "the minute ends here"},
        {"1;2 * * * *", 2, "found \";2\" behind the minute"},
        {"-1 * * * *", 1, "the minute is \"-\""},
        {"1- * * * *", 3, "the minute ends here"},
        {"? * * * *", 1, "the minute is \"?\""},
        {"5x * * * *", 1, "the minute is \"5x\""},
        {"99999999999999999999 * * * *", 1, "the minute is \"99999999999999999999\""},
        {"@reboot", 1, "wanted @hourly"},
        {"0 0 31 2 *", 1, "would never come"},
        {"0 0 30,31 feb *", 1, "would never come"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pawl_cron cron;
        pawl_error error = {0};
        uint32_t column = 0;
        if (pawl_cron_read(cases[i].text, &cron, &column, &error) != PAWL_E_INVALID)
            fail_msg("\"%s\" was taken", cases[i].text);
        assert_string_equal(error.code, "schedule.cron");
        if (column != cases[i].column || strstr(error.message, cases[i].words) == NULL)
            fail_msg("\"%s\": column %u, %s", cases[i].text, column, error.message);
    }
}

static void test_what_is_written_differently_means_the_same(void **state)
{
    static const char *const pairs[][2] = {
        {"0 0 * * 7", "0 0 * * SUN"},
        {"  */15\t* * * * ", "0,15,30,45 * * * *"},
        {"0 9 * jan-mar/2 *", "0 9 * 1,3 *"},
        {"10/20 5 * * *", "10,30,50 5 * * *"},
        {"@hourly", "0 * * * *"},
        {"0 0 * * 5-7", "0 0 * * 0,5,6"},
        {"@Midnight", "@daily"},
        {"0 0-23 * * *", "0 * * * *"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        pawl_cron a = {0}, b = {0};
        assert_int_equal(pawl_cron_read(pairs[i][0], &a, NULL, NULL), PAWL_OK);
        assert_int_equal(pawl_cron_read(pairs[i][1], &b, NULL, NULL), PAWL_OK);
        assert_memory_equal(&a, &b, sizeof a);
    }
}

static void test_only_names_of_zones_are_zones(void **state)
{
    static const char *const wrong[] = {"",          "Europe/Nowhere", "../../etc/passwd",   "/usr/share/zoneinfo/UTC",
                                        "localtime", "Europe/",        "Fixed/UTC+01:00:00", "Europe//Berlin"};
    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_null(pawl_zone_open(wrong[i]));
    pawl_zone *utc = pawl_zone_open("UTC");
    pawl_civil civil;
    pawl_zone_civil(utc, 0, &civil);
    assert_int_equal(civil.hour, 0); /* whatever the environment says */
    unsetenv("TZ");
    assert_null(pawl_zone_close(utc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_are_those_of_the_zone_over_changes_of_the_clock),
        cmocka_unit_test(test_no_minute_around_a_change_of_the_clock_is_missed_or_doubled),
        cmocka_unit_test(test_an_interval_goes_by_the_clock_of_1970_and_its_offset),
        cmocka_unit_test(test_several_are_merged_and_bounds_hold),
        cmocka_unit_test(test_jitter_is_the_same_each_time_and_stays_in_its_bounds),
        cmocka_unit_test(test_nonsense_is_refused_with_its_place),
        cmocka_unit_test(test_what_is_written_differently_means_the_same),
        cmocka_unit_test(test_only_names_of_zones_are_zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
