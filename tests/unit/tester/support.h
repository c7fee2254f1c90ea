/* support.h: what the tests of `pawl test` share: a test over the plugin of suspects with a script given as text. */
#ifndef PAWL_TEST_TESTER_SUPPORT_H
#define PAWL_TEST_TESTER_SUPPORT_H

#include "host/tester/tester.h"

#include <jansson.h>

/** The report of a test of this type; the caller drops it. The request's plugin, type and script are filled in here.
 *  Fails the test when it cannot be made. */
json_t *tester_report(const char *type, const char *script, pawl_tester_request request);
/** The first finding, borrowed; NULL: nothing was found. */
const json_t *tester_finding(const json_t *report);
const char *tester_text(const json_t *object, const char *key);
/** Of the variations of this name. -1: there were none. */
json_int_t tester_runs(const json_t *report, const char *name);
/** Is there a line with these words in the list? */
bool tester_has_line(const json_t *lines, const char *words);

#endif
