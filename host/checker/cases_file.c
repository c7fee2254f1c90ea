/* cases_file.c: what the file is and says, before and when it is loaded. */
#include "cases.h"
#include "host/loader/loader.h"
#include "host/loader/refuse.h"
#include "host/schema/json_schema.h"
#include "snapshot.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A refusal as the loader words it: its rule stands in it. */
static void refused(checker_lab *lab, const pawl_error *error)
{
    lab_find(lab, VERDICT_FAIL, NULL, "", "%s", error->message);
}

void case_file_facts(checker_lab *lab)
{
    pawl_error error = {.status = PAWL_OK};
    pawl_manifest *manifest = NULL;
    lab_stage(lab, "reading the file");
    int fd = open(lab->options->path, O_RDONLY | O_CLOEXEC);
    pawl_status status = pawl_elf_image_read(fd, &lab->image, &error);
    if (status == PAWL_OK)
        status = pawl_elf_image_judge(&lab->image, lab->options->file, &error);
    const pawl_bytes text = {lab->image.manifest, lab->image.manifest_size};
    if (status == PAWL_OK)
        status = pawl_manifest_parse(text, &manifest, &error);
    if (fd >= 0)
        close(fd);
    lab_checked(lab);
    if (status != PAWL_OK)
        refused(lab, &error);
    pawl_manifest_destroy(manifest);
}

/* A plugin is loaded from a copy: what it finds beside itself now is not there then. */
void case_file_alone(checker_lab *lab)
{
    if (!lab_read(lab))
        return;
    lab_checked(lab);
    const char *path = lab->image.run_path;
    if (path != NULL && (strstr(path, "$ORIGIN") != NULL || strstr(path, "${ORIGIN}") != NULL))
        lab_find(lab, VERDICT_FAIL, NULL,
                 "no $ORIGIN: a host loads a copy of the file from its data directory; link "
                 "what it needs into it, or install libraries where the system finds them",
                 "the run path %.300s", path);
    else if (path != NULL && path[0] != '\0')
        lab_find(lab, VERDICT_WARN, NULL, "no run path: on another machine these directories may hold something else",
                 "the run path %.300s", path);
    for (const char *name = lab->image.needed; name != NULL && *name != '\0'; name += strspn(name, " ")) {
        size_t size = strcspn(name, " ");
        if (memchr(name, '/', size) != NULL)
            lab_find(lab, VERDICT_FAIL, NULL, "a library by its bare name", "that it needs the library %.*s by a path",
                     (int)size, name);
        name += size;
    }
}

static void check_schema(checker_lab *lab, const char *where, const char *what, const json_t *schema)
{
    pawl_schema *compiled = NULL;
    pawl_error error = {.status = PAWL_OK};
    char place[300];
    if (schema == NULL)
        return;
    lab_checked(lab);
    snprintf(place, sizeof place, "%s.%s", where, what);
    if (pawl_schema_compile(schema, &compiled, &error) != PAWL_OK)
        lab_find(lab, VERDICT_FAIL, place, "a JSON Schema (draft 7) that can be used", "%s", error.message);
    pawl_schema_destroy(compiled);
}

void case_manifest_schemas(checker_lab *lab)
{
    if (!lab_read(lab))
        return;
    for (size_t i = 0; i < lab->operation_count; i++) {
        check_schema(lab, lab->operations[i].declared->name, "input_schema", lab->operations[i].declared->input_schema);
        check_schema(lab, lab->operations[i].declared->name, "output_schema",
                     lab->operations[i].declared->output_schema);
    }
    for (size_t i = 0; i < lab->manifest->process_count; i++)
        check_schema(lab, lab->manifest->processes[i].name, "input_schema", lab->manifest->processes[i].input_schema);
    check_schema(lab, "connector", "config_schema", lab->manifest->config_schema);
    check_schema(lab, "middleware", "config_schema", lab->manifest->middleware_schema);
    check_schema(lab, "observer", "config_schema", lab->manifest->observer_schema);
    if (lab->checked == 0)
        lab_skip(lab, "the manifest has no schema");
}

static bool says_nothing(const json_t *schema)
{
    return schema == NULL || json_is_true(schema) || (json_is_object(schema) && json_object_size(schema) == 0);
}

/* What people and tools would like to know. */
void case_manifest_said(checker_lab *lab)
{
    if (!lab_read(lab))
        return;
    for (size_t i = 0; i < lab->operation_count; i++) {
        const pawl_manifest_operation *operation = lab->operations[i].declared;
        lab_checked(lab);
        if (says_nothing(operation->input_schema))
            lab_find(lab, VERDICT_WARN, operation->name, "an input_schema that says what it takes",
                     "no input_schema, or one that allows anything");
        if (says_nothing(operation->output_schema))
            lab_find(lab, VERDICT_WARN, operation->name, "an output_schema that says what it gives",
                     "no output_schema, or one that allows anything");
        if (operation->timeout_ms == 0 && operation->runs != PAWL_RUNS_INLINE)
            lab_find(lab, VERDICT_WARN, operation->name, "a timeout that fits what it does", "no timeout");
    }
    for (size_t i = 0; i < lab->manifest->process_count; i++) {
        lab_checked(lab);
        if (says_nothing(lab->manifest->processes[i].input_schema))
            lab_find(lab, VERDICT_WARN, lab->manifest->processes[i].name, "an input_schema that says what it takes",
                     "no input_schema, or one that allows anything");
    }
}

/* ---- the entry ---- */

void case_entry_contract(checker_lab *lab)
{
    pawl_error error = {.status = PAWL_OK};
    if (!lab_read(lab))
        return;
    const pawl_bytes note = {lab->image.manifest, lab->image.manifest_size};
    lab_checked(lab);
    lab_stage(lab, "dlopen (a constructor of the plugin, or of a library it needs)");
    lab->library = dlopen(lab->options->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (lab->library == NULL) {
        pawl_loader_refuse_load(&error, lab->options->file, dlerror());
        refused(lab, &error);
        return;
    }
    void *symbol = dlsym(lab->library, PAWL_PLUGIN_ENTRY_SYMBOL);
    memcpy(&lab->plugin_entry, &symbol, sizeof symbol);
    if (symbol == NULL) {
        pawl_loader_refuse(&error, "loader.no_entry", lab->options->file, "does not export the function %s",
                           PAWL_PLUGIN_ENTRY_SYMBOL);
        refused(lab, &error);
        return;
    }
    lab_stage(lab, "%s", PAWL_PLUGIN_ENTRY_SYMBOL);
    if (pawl_contract_take_root(lab->plugin_entry(), lab->manifest, note, lab->options->file, &lab->root, &error) !=
        PAWL_OK)
        refused(lab, &error);
}

static void impure(void *context, const char *difference)
{
    lab_find(context, VERDICT_FAIL, "load and entry",
             "nothing of it before init: constructors and the entry leave the program alone", "%s", difference);
}

enum { ENTRY_CALLS = 1000, ENTRY_BYTES_MAX = 8000 };

static void call_entry_often(checker_lab *lab)
{
    const pawl_plugin_root *first = lab->plugin_entry();
    pawl_plugin_root copy = *first;
    size_t memory = lab_count_memory();
    for (unsigned i = 0; i < ENTRY_CALLS; i++)
        if (lab->plugin_entry() != first) {
            lab_find(lab, VERDICT_FAIL, PAWL_PLUGIN_ENTRY_SYMBOL, "the address of one static root, every time",
                     "another root from a second call");
            return;
        }
    if (memcmp(&copy, first, sizeof copy) != 0)
        lab_find(lab, VERDICT_FAIL, PAWL_PLUGIN_ENTRY_SYMBOL, "a constant", "that the root changes");
    size_t grown = lab_count_memory() - memory;
    if (lab_count_memory() > memory && grown >= ENTRY_BYTES_MAX)
        lab_find(lab, VERDICT_FAIL, PAWL_PLUGIN_ENTRY_SYMBOL, "no allocation: it is [pure]",
                 "%zu bytes more in use after %u calls", grown, ENTRY_CALLS);
}

void case_entry_pure(checker_lab *lab)
{
    unsigned threads = lab_count_threads();
    snapshot *before = lab_snapshot_take();
    if (before == NULL || !lab_load(lab))
        return;
    lab_checked(lab);
    call_entry_often(lab);
    snapshot *after = lab_snapshot_take();
    if (after == NULL)
        return;
    lab_snapshot_compare(before, after, impure, lab);
    lab_snapshot_descriptors(before, after, false, impure, lab);
    if (lab_count_threads_until(threads) > threads)
        impure(lab, "a thread that was not there before");
    if (lab_count_children() > 0)
        impure(lab, "a child process");
}
