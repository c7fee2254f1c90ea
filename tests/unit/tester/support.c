/* support.c: see support.h. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the first three */

json_t *tester_report(const char *type, const char *script, pawl_tester_request request)
{
    char path[] = "/tmp/pawl-script-XXXXXX";
    int fd = mkstemp(path);
    pawl_text text = {0};
    pawl_error error = {0};
    assert_true(fd >= 0);
    assert_int_equal(write(fd, script, strlen(script)), (ssize_t)strlen(script));
    close(fd);
    request.plugin = PAWL_SUSPECTS;
    request.type = type;
    request.script = path;
    pawl_status status = pawl_tester_run(&request, &text, &error);
    unlink(path);
    if (status != PAWL_OK)
        fail_msg("%s: %s", error.code, error.message);
    json_t *report = json_loadb(text.data, text.size, 0, NULL);
    assert_non_null(report);
    pawl_text_free(&text);
    return report;
}

const json_t *tester_finding(const json_t *report)
{
    return json_array_get(json_object_get(report, "findings"), 0);
}

const char *tester_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

json_int_t tester_runs(const json_t *report, const char *name)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(report, "variations"), i,
                       one) if (strcmp(tester_text(one, "name"), name) ==
                                0) return json_integer_value(json_object_get(one, "runs"));
    return -1;
}

bool tester_has_line(const json_t *lines, const char *words)
{
    size_t i;
    const json_t *line;
    json_array_foreach(lines, i, line) if (strstr(json_string_value(line), words) != NULL) return true;
    return false;
}
