/* resident/version.c: which version of its plugin runs a process. The very binary that it is pinned to when that is
 * here; else one that says that it can live such journals again, and that has to show it: a trial replay reproduces
 * every recorded command, and then the process is pinned to it, before anything new begins. Must never write anything
 * of a trial that failed but the reason, nor run a process by code that does not say it may. */
#include "internal.h"
#include "worker/base/line.h"

#include <stdio.h>
#include <string.h>

#define DIGEST_SHOWN 8 /* bytes: enough to find it in `pawl plugin list` */

/* How reasons go on in front of what was lacking; read again when a host has more than it had. */
#define NO_TYPE     "no process type "
#define TRIED_UNDER ", and tried under "

static void add_binary(pawl_line *line, pawl_bytes digest)
{
    const uint8_t *bytes = digest.data;
    bool known = false;
    for (size_t i = 0; i < digest.size; i++)
        known = known || bytes[i] != 0;
    pawl_line_text(line, known ? ", binary " : ", linked in");
    for (size_t i = 0; known && i < digest.size && i < DIGEST_SHOWN; i++) {
        char hex[3];
        snprintf(hex, sizeof hex, "%02x", bytes[i]);
        pawl_line_text(line, hex);
    }
}

static void add_code(pawl_line *line, const char *plugin, size_t plugin_size, uint32_t revision, pawl_bytes digest)
{
    char number[32];
    pawl_line_text(line, "plugin ");
    pawl_line_bytes(line, (pawl_bytes){plugin_size == 0 ? "(not named)" : plugin, plugin_size == 0 ? 11 : plugin_size});
    snprintf(number, sizeof number, ", revision %u", revision);
    pawl_line_text(line, number);
    add_binary(line, digest);
}

static void add_type(pawl_line *line, const pawl_type *type)
{
    add_code(line, type->plugin, strlen(type->plugin), type->revision, (pawl_bytes){type->digest, sizeof type->digest});
}

static void add_pinned(pawl_line *line, const pawl_resident *r)
{
    add_code(line, r->plugin.data, r->plugin.size, r->revision, r->digest);
}

static void park_without(pawl_resident *r, const pawl_type *first)
{
    char pinned[240], have[240];
    pawl_line line = pawl_line_in(pinned, sizeof pinned);
    add_pinned(&line, r);
    line = pawl_line_in(have, sizeof have);
    if (first != NULL)
        add_type(&line, first);
    pawl_resident_park(r, "missing_plugin",
                       "pinned to %s; this host has %s, which cannot go on with it: add that version to the profile "
                       "again; it resumes by itself",
                       pinned, have);
}

void pawl_resident_find_code(pawl_resident *r)
{
    const pawl_catalog *catalog = r->worker->config.catalog;
    const pawl_type *first = pawl_catalog_type(catalog, r->type);
    const pawl_pinned pinned = {r->type, r->plugin, r->revision, r->digest};
    r->code = pawl_catalog_type_for(catalog, &pinned, &r->trial);
    atomic_store_explicit(&r->gate, first == NULL ? NULL : first->gate, memory_order_release);
    if (first == NULL)
        pawl_resident_park(r, "unknown_type",
                           "this host has " NO_TYPE "%.*s; add its plugin to the profile; it resumes by itself",
                           (int)r->type.size, (const char *)r->type.data);
    else if (r->code == NULL)
        park_without(r, first);
}

/* Whatever the code did on trial it may have done wrongly: of all that only the reason is kept. */
static void refuse(pawl_resident *r)
{
    char expected[sizeof r->park_reason], pinned[160], tried[160];
    pawl_line line = pawl_line_in(pinned, sizeof pinned);
    add_pinned(&line, r);
    line = pawl_line_in(tried, sizeof tried);
    add_type(&line, r->code);
    pawl_resident_batch_reset(&r->pending);
    r->results = false;
    memcpy(expected, r->park_reason, sizeof expected);
    snprintf(r->park_reason, sizeof r->park_reason, "%.260s; pinned to %s" TRIED_UNDER "%s", expected, pinned, tried);
}

void pawl_resident_end_trial(pawl_resident *r)
{
    r->trial = false;
    if (r->parking) {
        refuse(r);
        return;
    }
    static const uint8_t linked_in[32];
    const pawl_type *code = r->code;
    bool linked = memcmp(code->digest, linked_in, sizeof linked_in) == 0;
    r->revision = code->revision;
    r->digest = (pawl_bytes){code->digest, linked ? 0 : sizeof code->digest};
    r->pin = (pawl_pin){.struct_size = sizeof r->pin, .revision = r->revision, .digest = r->digest};
    r->pinning = true;
    const pawl_entry entry = {.kind = PAWL_RECORD_PINNED,
                              .status = code->revision,
                              .name = pawl_bytes_text(code->plugin),
                              .value = r->digest};
    pawl_resident_record(r, &entry, true);
    pawl_log_write(r->worker->config.log, PAWL_LOG_INFO, "a process goes on with another version of its plugin",
                   "process", (const char *)r->id.data, "plugin", code->plugin, (char *)NULL);
}

/* ---- what was lacking, and is here again ---- */

/* The name behind these words; empty: they are not there. */
static pawl_bytes name_behind(pawl_bytes reason, const char *words)
{
    const char *at = memmem(reason.data, reason.size, words, strlen(words));
    if (at == NULL)
        return (pawl_bytes){"", 0};
    at += strlen(words);
    size_t left = reason.size - (size_t)(at - (const char *)reason.data), size = 0;
    while (size < left && at[size] != ',' && at[size] != ';')
        size++;
    return (pawl_bytes){at, size};
}

static bool is_text(pawl_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

bool pawl_worker_has_again(const pawl_catalog *catalog, const pawl_process_row *row)
{
    const pawl_pinned pinned = {row->type, row->plugin, row->revision, row->digest};
    bool trial = false;
    const pawl_type *code = pawl_catalog_type_for(catalog, &pinned, &trial);
    if (row->reason.size == 0 || row->reason_code.size == 0 || code == NULL)
        return false;
    if (is_text(row->reason_code, "missing_plugin"))
        return true;
    if (is_text(row->reason_code, "nondeterminism")) /* of other code than its own, which is here */
        return !trial && memmem(row->reason.data, row->reason.size, TRIED_UNDER, sizeof TRIED_UNDER - 1) != NULL;
    if (is_text(row->reason_code, "unknown_effect"))
        return pawl_catalog_effect(catalog, name_behind(row->reason, PAWL_REASON_CALLS)) != NULL;
    if (!is_text(row->reason_code, "unknown_type"))
        return false;
    pawl_bytes child = name_behind(row->reason, PAWL_REASON_STARTS);
    return child.size == 0 || pawl_catalog_type(catalog, child) != NULL;
}
