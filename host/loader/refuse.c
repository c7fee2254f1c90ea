/* refuse.c: see refuse.h. It must never word a refusal without its rule, or a rule without its number. */
#include "refuse.h"
#include "loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *code;
    const char *rule;
    pawl_status status;
} refusal;

#define ROW(code, rule, status) {code, rule, status},
static const refusal refusals[] = {PAWL_LOADER_REFUSALS(ROW)};
#undef ROW

static const refusal *find(const char *code)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (strcmp(refusals[i].code, code) == 0)
            return &refusals[i];
    return NULL;
}

const char *pawl_loader_rule(const char *code)
{
    const refusal *found = code == NULL ? NULL : find(code);
    return found == NULL ? NULL : found->rule;
}

pawl_status pawl_loader_refuse(pawl_error *error, const char *code, const char *subject, const char *format, ...)
{
    const refusal *known = find(code);
    const char *rule = known == NULL ? "?" : known->rule;
    pawl_status status = known == NULL ? PAWL_E_INVALID : known->status;
    char text[1400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return pawl_error_set(error, status, code, "%s: %s [rule %s]", subject, text, rule);
}

pawl_status pawl_loader_refuse_load(pawl_error *error, const char *subject, const char *reason)
{
    return pawl_loader_refuse(
        error, "loader.dlopen", subject,
        "cannot be loaded: %s; install the library or symbol it misses, and keep the data directory "
        "on a file system that is not mounted noexec",
        reason == NULL ? "no reason was given" : reason);
}
