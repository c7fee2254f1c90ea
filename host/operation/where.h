/* where.h: the little language in which people ask for processes by their search attributes:
 *
 *     customer = "x" and amount > 10
 *     (open = true or due < "2026-01-01T00:00:00Z") and not region in ("eu", "us")
 *     customer starts with "ab"
 *
 * Comparisons (= != < <= > >=, starts with, in), `not`, `and`, `or`, from the tightest to the loosest, and parentheses.
 * It becomes the conditions of a pawl_list, checked against the profile's attributes. Pure. [any] */
#ifndef PAWL_WHERE_H
#define PAWL_WHERE_H

#include "worker/attributes.h"
#include "worker/base/arena.h"

#define PAWL_WHERE_BYTES_MAX      8192u
#define PAWL_WHERE_CONDITIONS_MAX 64u /* comparisons, and, or, not */
#define PAWL_WHERE_VALUES_MAX     32u /* of one `in` */
#define PAWL_WHERE_DEPTH_MAX      32u /* parentheses and nots inside each other */

typedef struct pawl_where {
    pawl_condition conditions[PAWL_WHERE_CONDITIONS_MAX];
    size_t count;
    pawl_arena arena; /* of their bytes */
} pawl_where;

/** Read an expression; ret is zero-initialised by the caller, who calls pawl_where_finish in any case. Errors name the
 *  column (from 1, in bytes), what was found and what was wanted: PAWL_E_INVALID "where_syntax", "attribute_unknown",
 *  "attribute_type"; PAWL_E_LIMIT "where_limit"; PAWL_E_NOMEM. */
pawl_status pawl_where_read(const char *text, const pawl_attribute_schema *schema, pawl_where *ret, pawl_error *error);
void pawl_where_finish(pawl_where *where);

#endif
