/* date.c: see date.h. Reads what a person or a program wrote, strictly: what is no date is refused, never bent. */
#include "date.h"

#include <string.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)

/* Exactly so many digits. */
static bool digits(const char **at, int count, int *ret)
{
    *ret = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *ret = *ret * 10 + (**at - '0');
    }
    return true;
}

static bool letter(const char **at, const char *allowed)
{
    if (**at == '\0' || strchr(allowed, **at) == NULL)
        return false;
    (*at)++;
    return true;
}

static bool read_date_and_time(const char **at, struct tm *parts)
{
    return digits(at, 4, &parts->tm_year) && letter(at, "-") && digits(at, 2, &parts->tm_mon) && letter(at, "-") &&
           digits(at, 2, &parts->tm_mday) && letter(at, "Tt ") && digits(at, 2, &parts->tm_hour) && letter(at, ":") &&
           digits(at, 2, &parts->tm_min) && letter(at, ":") && digits(at, 2, &parts->tm_sec);
}

static bool read_fraction(const char **at, int64_t *ret_ns)
{
    int64_t unit = NS_PER_SECOND / 10;
    *ret_ns = 0;
    if (**at != '.')
        return true;
    (*at)++;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10) {
        if (unit == 0)
            return false; /* finer than a nanosecond */
        *ret_ns += (**at - '0') * unit;
    }
    return true;
}

/* "Z", "+02:00", in seconds. */
static bool read_offset(const char **at, int64_t *ret)
{
    int hours = 0;
    int minutes = 0;
    *ret = 0;
    if (letter(at, "Zz"))
        return true;
    bool west = **at == '-';
    if (!letter(at, "+-") || !digits(at, 2, &hours) || !letter(at, ":") || !digits(at, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *ret = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

bool pawl_time_read(const char *text, int64_t *ret_unix_ns)
{
    struct tm parts = {0};
    int64_t fraction;
    int64_t offset;
    if (!read_date_and_time(&text, &parts) || !read_fraction(&text, &fraction) || !read_offset(&text, &offset) ||
        *text != '\0')
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    struct tm same = parts;
    int64_t seconds = timegm(&same);
    /* What is no date comes back as another one. */
    if (same.tm_mon != parts.tm_mon || same.tm_mday != parts.tm_mday || same.tm_hour != parts.tm_hour ||
        same.tm_min != parts.tm_min || same.tm_sec != parts.tm_sec)
        return false;
    return !__builtin_mul_overflow(seconds - offset, NS_PER_SECOND, ret_unix_ns) &&
           !__builtin_add_overflow(*ret_unix_ns, fraction, ret_unix_ns);
}
