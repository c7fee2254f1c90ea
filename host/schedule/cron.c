/* cron.c: see cron.h. Reads strictly: what Vixie cron would take for something else by silent convention is refused. */
#include "cron.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define YEAR_LAST 2500

typedef struct field {
    const char *what; /* "the hour is 25" */
    uint32_t least;
    uint32_t most;
    const char *names; /* of three letters each, from `names_from` on; NULL: none */
    uint32_t names_from;
} field;

static const field fields[] = {
    {"minute", 0, 59, NULL, 0},
    {"hour", 0, 23, NULL, 0},
    {"day of the month", 1, 31, NULL, 0},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", 1},
    {"day of the week", 0, 7, "sunmontuewedthufrisat", 0},
};

typedef struct reader {
    const char *text;
    const char *at;
    uint32_t *ret_column;
    pawl_error *error;
} reader;

static pawl_status mistake(reader *r, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static pawl_status mistake(reader *r, const char *at, const char *format, ...)
{
    char what[300];
    va_list args;
    uint32_t column = (uint32_t)(at - r->text) + 1;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (r->ret_column != NULL)
        *r->ret_column = column;
    return pawl_error_set(r->error, PAWL_E_INVALID, "schedule.cron", "\"%s\", column %u: %s", r->text, column, what);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How much of the text to show as "found". */
static int word_size(const char *at)
{
    size_t size = strcspn(at, " \t,-/");
    return size == 0 && *at != '\0' ? 1 : size > 20 ? 20 : (int)size;
}

static pawl_status wrong_value(reader *r, const char *at, const field *f)
{
    if (*at == '\0' || *at == ' ' || *at == '\t')
        return mistake(r, at, "the %s ends here; wanted %u to %u%s", f->what, f->least, f->most,
                       f->names == NULL ? "" : " or a name");
    return mistake(r, at, "the %s is \"%.*s\"; wanted %u to %u%s", f->what, word_size(at), at, f->least, f->most,
                   f->names == NULL     ? ""
                   : f->names_from == 1 ? " or a name, jan to dec"
                                        : " or a name, sun to sat");
}

static pawl_status read_name(reader *r, const field *f, uint32_t *ret)
{
    const char *at = r->at;
    size_t size = 0;
    while (is_letter(at[size]))
        size++;
    for (uint32_t i = 0; f->names != NULL && size == 3 && f->names[3 * i] != '\0'; i++)
        if (strncasecmp(at, f->names + (size_t)3 * i, 3) == 0) {
            *ret = f->names_from + i;
            r->at += 3;
            return PAWL_OK;
        }
    return wrong_value(r, at, f);
}

static pawl_status read_number(reader *r, uint32_t most, uint32_t *ret)
{
    uint32_t value = 0;
    const char *at = r->at;
    for (; is_digit(*r->at); r->at++)
        value = value > most ? value : value * 10 + (uint32_t)(*r->at - '0');
    *ret = value;
    return r->at > at ? PAWL_OK : PAWL_E_INVALID;
}

static pawl_status read_value(reader *r, const field *f, uint32_t *ret)
{
    const char *at = r->at;
    if (is_letter(*at))
        return read_name(r, f, ret);
    if (read_number(r, f->most, ret) != PAWL_OK || *ret < f->least || *ret > f->most || is_letter(*r->at))
        return wrong_value(r, at, f);
    return PAWL_OK;
}

static pawl_status read_step(reader *r, const field *f, uint32_t *ret)
{
    *ret = 1;
    if (*r->at != '/')
        return PAWL_OK;
    const char *at = ++r->at;
    uint32_t span = f->most - f->least + 1;
    if (read_number(r, span, ret) != PAWL_OK || *ret == 0 || *ret > span)
        return mistake(r, at, "the step of the %s is \"%.*s\"; wanted 1 to %u", f->what, word_size(at), at, span);
    return PAWL_OK;
}

/* "*", "5", "1-5", "mon-fri", each perhaps with "/step"; "5/10" goes on to the end of the field. */
static pawl_status read_range(reader *r, const field *f, uint64_t *bits)
{
    uint32_t from = f->least;
    uint32_t to = f->most;
    uint32_t step;
    const char *at = r->at;
    pawl_status status = PAWL_OK;
    bool single = false;
    if (*at == '*') {
        r->at++;
    } else {
        status = read_value(r, f, &from);
        single = status == PAWL_OK && *r->at != '-';
        if (status == PAWL_OK && !single) {
            r->at++;
            status = read_value(r, f, &to);
        }
    }
    if (status == PAWL_OK && !single && from > to)
        return mistake(r, at,
                       "the range of the %s goes backwards, from %u to %u; wanted two ranges, or the other order",
                       f->what, from, to);
    bool stepped = status == PAWL_OK && *r->at == '/';
    if (status == PAWL_OK)
        status = read_step(r, f, &step);
    if (status != PAWL_OK)
        return status;
    if (single && !stepped)
        to = from;
    for (uint32_t value = from; value <= to; value += step)
        *bits |= UINT64_C(1) << value;
    return PAWL_OK;
}

static pawl_status read_field(reader *r, const field *f, uint64_t *bits)
{
    *bits = 0;
    for (;;) {
        pawl_status status = read_range(r, f, bits);
        if (status != PAWL_OK)
            return status;
        if (*r->at == '\0' || *r->at == ' ' || *r->at == '\t')
            return PAWL_OK;
        if (*r->at != ',')
            return mistake(r, r->at, "found \"%.*s\" behind the %s; wanted a comma, a blank or the end",
                           word_size(r->at), r->at, f->what);
        r->at++;
    }
}

static void skip_blanks(reader *r)
{
    while (*r->at == ' ' || *r->at == '\t')
        r->at++;
}

static pawl_status read_nickname(reader *r, const char **ret)
{
    static const struct {
        const char *name;
        const char *expression;
    } nicknames[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                     {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                     {"@annually", "0 0 1 1 *"}};
    for (size_t i = 0; i < sizeof nicknames / sizeof *nicknames; i++)
        if (strcasecmp(r->at, nicknames[i].name) == 0) {
            *ret = nicknames[i].expression;
            return PAWL_OK;
        }
    return mistake(r, r->at, "found \"%.20s\"; wanted @hourly, @daily, @weekly, @monthly, @yearly, or five fields",
                   r->at);
}

/* "0 0 31 2 *": no year has it. */
static bool has_days(const pawl_cron *cron)
{
    if (!cron->any_weekday && !cron->any_day)
        return true; /* either is enough, and every week has every weekday */
    for (int month = 1; month <= 12; month++) {
        int days = pawl_civil_days_in_month(2024, month); /* a leap year */
        for (int day = 1; (cron->months >> month & 1) != 0 && day <= days; day++)
            if ((cron->days >> day & 1) != 0)
                return true;
    }
    return false;
}

pawl_status pawl_cron_read(const char *text, pawl_cron *ret, uint32_t *ret_column, pawl_error *error)
{
    uint64_t bits[5] = {0};
    bool star[5] = {false};
    reader r = {.text = text, .at = text, .ret_column = ret_column, .error = error};
    skip_blanks(&r);
    if (strlen(text) > PAWL_CRON_BYTES_MAX)
        return pawl_error_set(error, PAWL_E_INVALID, "schedule.cron", "an expression of %zu bytes; wanted at most %u",
                              strlen(text), PAWL_CRON_BYTES_MAX);
    if (*r.at == '@') {
        pawl_status status = read_nickname(&r, &r.at);
        if (status != PAWL_OK)
            return status;
        r.text = r.at;
    }
    for (size_t i = 0; i < 5; i++) {
        skip_blanks(&r);
        if (*r.at == '\0')
            return mistake(&r, r.at, "it ends here; wanted the %s (five fields: minute, hour, day, month, weekday)",
                           fields[i].what);
        star[i] = *r.at == '*';
        pawl_status status = read_field(&r, &fields[i], &bits[i]);
        if (status != PAWL_OK)
            return status;
    }
    skip_blanks(&r);
    if (*r.at != '\0')
        return mistake(&r, r.at, "found \"%.20s\" behind the fifth field; wanted the end (there are no seconds)", r.at);
    pawl_cron cron = {.minutes = bits[0],
                      .hours = (uint32_t)bits[1],
                      .days = (uint32_t)bits[2],
                      .months = (uint32_t)bits[3],
                      .weekdays = (uint32_t)(bits[4] | bits[4] >> 7) & 0x7fu,
                      .any_day = star[2],
                      .any_weekday = star[4],
                      .every_hour = bits[1] == (UINT64_C(1) << 24) - 1};
    if (!has_days(&cron))
        return mistake(&r, r.text, "no month that it names has such a day, so it would never come");
    *ret = cron;
    return PAWL_OK;
}

static bool day_fits(const pawl_cron *cron, const pawl_civil *civil)
{
    if ((cron->months >> civil->month & 1) == 0)
        return false;
    bool day = (cron->days >> civil->day & 1) != 0;
    bool weekday = (cron->weekdays >> pawl_civil_weekday(civil->year, civil->month, civil->day) & 1) != 0;
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

bool pawl_cron_fits(const pawl_cron *cron, const pawl_civil *civil)
{
    return (cron->minutes >> civil->minute & 1) != 0 && (cron->hours >> civil->hour & 1) != 0 && day_fits(cron, civil);
}

static void next_day(pawl_civil *civil)
{
    civil->hour = civil->minute = 0;
    if (++civil->day <= pawl_civil_days_in_month(civil->year, civil->month))
        return;
    civil->day = 1;
    if (++civil->month <= 12)
        return;
    civil->month = 1;
    civil->year++;
}

static void next_month(pawl_civil *civil)
{
    civil->day = 31; /* beyond the end, whichever month it is */
    next_day(civil);
}

/* The first time of this day at or after the one that is set. */
static bool forward_in_day(const pawl_cron *cron, pawl_civil *civil)
{
    for (; civil->hour < 24; civil->hour++, civil->minute = 0)
        if ((cron->hours >> civil->hour & 1) != 0)
            for (; civil->minute < 60; civil->minute++)
                if ((cron->minutes >> civil->minute & 1) != 0)
                    return true;
    return false;
}

bool pawl_cron_forward(const pawl_cron *cron, pawl_civil *civil)
{
    civil->second = 0;
    while (civil->year < YEAR_LAST) {
        if ((cron->months >> civil->month & 1) == 0)
            next_month(civil);
        else if (!day_fits(cron, civil) || !forward_in_day(cron, civil))
            next_day(civil);
        else
            return true;
    }
    return false;
}
