/* zone.h: time zones by their IANA names: which time of day it is somewhere, and when a time of day comes there. The
 * only door to libcctz, which reads the system's zone files. Never looks at TZ or any other part of the environment
 * that says where this host is. [any], no locks of our own; a zone is read-only and lives as long as the program. */
#ifndef PAWL_SCHEDULE_ZONE_H
#define PAWL_SCHEDULE_ZONE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pawl_zone pawl_zone;

/** What a clock and a calendar on the wall show. */
typedef struct pawl_civil {
    int32_t year;
    int32_t month; /* 1 to 12 */
    int32_t day;   /* 1 to 31 */
    int32_t hour;
    int32_t minute;
    int32_t second;
} pawl_civil;

enum {
    PAWL_CIVIL_ONCE,  /* an ordinary time */
    PAWL_CIVIL_NEVER, /* the clock is put forward over it */
    PAWL_CIVIL_TWICE, /* the clock is put back over it */
};

/** Open a zone ("Europe/Berlin", "UTC"). NULL: there is no such zone, or no memory. Closed with pawl_zone_close. */
pawl_zone *pawl_zone_open(const char *name);
pawl_zone *pawl_zone_close(pawl_zone *zone); /**< NULL is allowed; returns NULL */

/** What the clock shows at that moment. */
void pawl_zone_civil(const pawl_zone *zone, int64_t unix_seconds, pawl_civil *ret);

/** When the clock shows that. Returns PAWL_CIVIL_*.
 *  @param[out] first   ONCE: that moment; TWICE: the first time; NEVER: the moment right after the gap
 *  @param[out] second  TWICE: the second time; otherwise as first */
int pawl_zone_moment(const pawl_zone *zone, const pawl_civil *civil, int64_t *first, int64_t *second);

/** 0 is Sunday. */
int pawl_civil_weekday(int32_t year, int32_t month, int32_t day);
int pawl_civil_days_in_month(int32_t year, int32_t month);

#ifdef __cplusplus
}
#endif
#endif
