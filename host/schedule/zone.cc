/* zone.cc: see zone.h. The one C++ file of the product: libcctz has no other face. No exception leaves it. */
#include "zone.h"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include <chrono>
#include <cstring>
#include <new>
#include <string>

struct pawl_zone {
    cctz::time_zone zone;
};

namespace
{

/* A name that leads out of the zone files, or that means whatever this host's environment says, is no zone. */
bool is_zone_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-";
    size_t size = std::strlen(name);
    if (size == 0 || size > 64 || std::strspn(name, letters) != size)
        return false;
    if (name[0] == '/' || name[size - 1] == '/' || std::strstr(name, "//") != nullptr)
        return false;
    return std::strcmp(name, "localtime") != 0 && std::strncmp(name, "Fixed/", 6) != 0;
}

cctz::time_point<cctz::seconds> moment_of(int64_t unix_seconds)
{
    return cctz::time_point<cctz::seconds>(cctz::seconds(unix_seconds));
}

int64_t seconds_of(const cctz::time_point<cctz::seconds> &moment)
{
    return moment.time_since_epoch().count();
}

} // namespace

pawl_zone *pawl_zone_open(const char *name)
{
    try {
        cctz::time_zone zone;
        std::string own;
        own.assign(name); /* the constructor would be instantiated here, and seen from outside */
        if (!is_zone_name(name) || !cctz::load_time_zone(own, &zone))
            return nullptr;
        return new pawl_zone{zone};
    } catch (...) {
        return nullptr; /* there is nothing but memory that can be missing */
    }
}

pawl_zone *pawl_zone_close(pawl_zone *zone)
{
    delete zone;
    return nullptr;
}

void pawl_zone_civil(const pawl_zone *zone, int64_t unix_seconds, pawl_civil *ret)
{
    const cctz::civil_second shown = zone->zone.lookup(moment_of(unix_seconds)).cs;
    *ret = pawl_civil{
        static_cast<int32_t>(shown.year()), shown.month(), shown.day(), shown.hour(), shown.minute(), shown.second()};
}

int pawl_zone_moment(const pawl_zone *zone, const pawl_civil *civil, int64_t *first, int64_t *second)
{
    const cctz::civil_second wanted(civil->year, civil->month, civil->day, civil->hour, civil->minute, civil->second);
    const cctz::time_zone::civil_lookup found = zone->zone.lookup(wanted);
    switch (found.kind) {
    case cctz::time_zone::civil_lookup::SKIPPED:
        *first = *second = seconds_of(found.trans);
        return PAWL_CIVIL_NEVER;
    case cctz::time_zone::civil_lookup::REPEATED:
        *first = seconds_of(found.pre);
        *second = seconds_of(found.post);
        return PAWL_CIVIL_TWICE;
    default:
        *first = *second = seconds_of(found.pre);
        return PAWL_CIVIL_ONCE;
    }
}

int pawl_civil_weekday(int32_t year, int32_t month, int32_t day)
{
    const int from_monday = static_cast<int>(cctz::get_weekday(cctz::civil_day(year, month, day)));
    return (from_monday + 1) % 7;
}

int pawl_civil_days_in_month(int32_t year, int32_t month)
{
    const cctz::civil_month own(year, month);
    return static_cast<int>(cctz::civil_day(own + 1) - cctz::civil_day(own));
}
