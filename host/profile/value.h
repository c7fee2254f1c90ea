/* value.h: what single values of a profile mean: numbers, durations, sizes, the core types of YAML 1.2, and how
 * to name a value in a message. Pure. Room of host/profile*.c only. Never: accepts a number that does not fit exactly,
 * quotes more than a short piece of what it found. */
#ifndef PAWL_HOST_PROFILE_VALUE_H
#define PAWL_HOST_PROFILE_VALUE_H

#include "host/profile/tree.h"

/** Types of the YAML 1.2 core schema, as a scalar's look or tag gives them. */
enum {
    PAWL_SCALAR_NULL,
    PAWL_SCALAR_BOOLEAN,
    PAWL_SCALAR_INTEGER,
    PAWL_SCALAR_FLOAT,
    PAWL_SCALAR_TEXT,
    PAWL_SCALAR_BAD_TAG /* a tag that Pawl does not know, or that the value does not fit */
};
int pawl_value_type(const pawl_tree_node *scalar);

typedef enum pawl_parsed {
    PAWL_PARSED,
    PAWL_PARSED_FORMAT,   /* not of that form */
    PAWL_PARSED_UNIT,     /* a number, without a unit where one is needed, or with an unknown one */
    PAWL_PARSED_FRACTION, /* no whole number of the smallest unit */
    PAWL_PARSED_OVERFLOW  /* too large to hold */
} pawl_parsed;

/** "250ms", "1.5s", "30s", "5m", "2h", "7d", "0" in nanoseconds; at most three digits after the point. */
pawl_parsed pawl_parse_duration(const char *text, uint64_t *ret_ns);
/** "100", "64KiB", "4MiB", "1GiB" in bytes. */
pawl_parsed pawl_parse_size(const char *text, uint64_t *ret_bytes);
/** "17", also 0x and 0o as YAML has them; no sign. */
pawl_parsed pawl_parse_count(const char *text, uint64_t *ret);
/** "0.2", "5", "1e3"; finite. */
pawl_parsed pawl_parse_decimal(const char *text, double *ret);

#define PAWL_VALUE_TEXT 48
/** In the largest unit that divides it: "15s", "4MiB". text: PAWL_VALUE_TEXT bytes. */
void pawl_format_duration(uint64_t ns, char *text);
void pawl_format_size(uint64_t bytes, char *text);

#define PAWL_FOUND_TEXT 128
/** What stands there, for messages: the text "abc", the number 5, a list ... text: PAWL_FOUND_TEXT bytes. */
void pawl_value_found(const pawl_tree_node *node, char *text);
/** The kind of what stands there, without its content. */
const char *pawl_value_kind(const pawl_tree_node *node);

/** The one of candidates (NULL-terminated) that was probably meant, or NULL when none is close. */
const char *pawl_closest(const char *found, const char *const *candidates);

#endif
