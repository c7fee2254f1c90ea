/* manifest_fuzz.c: the JSON that a plugin says of itself. A refusal has its place; what is taken has what the loader
 * relies on, and written out and read again it is the same. */
#include "fuzz.h"

#include "host/loader/manifest.h"

#include <string.h>

static void check_operations(const pawl_manifest_operation *operations, size_t count)
{
    FUZZ_CHECK(count <= PAWL_MANIFEST_ENTRIES_MAX);
    for (size_t i = 0; i < count; i++) {
        pawl_retry_policy policy = {0};
        FUZZ_CHECK(operations[i].name != NULL && operations[i].name[0] != '\0');
        FUZZ_CHECK(operations[i].media_type != NULL);
        FUZZ_CHECK(strcmp(pawl_manifest_runs_name(operations[i].runs), "?") != 0);
        FUZZ_CHECK(strcmp(pawl_manifest_outcome_name(operations[i].outcome), "?") != 0);
        pawl_manifest_retry(&operations[i], &policy);
    }
}

static void check_processes(const pawl_manifest *manifest)
{
    FUZZ_CHECK(manifest->process_count <= PAWL_MANIFEST_ENTRIES_MAX);
    for (size_t i = 0; i < manifest->process_count; i++) {
        const pawl_manifest_process *process = &manifest->processes[i];
        FUZZ_CHECK(process->name != NULL && process->name[0] != '\0' && process->revision >= 1);
        FUZZ_CHECK(strcmp(pawl_manifest_recovery_name(process->recovery), "?") != 0);
        FUZZ_CHECK(!process->tier_given || strcmp(pawl_manifest_tier_name(process->tier), "?") != 0);
    }
}

static void check_again(const pawl_manifest *manifest)
{
    pawl_error error = {0};
    pawl_manifest *again = NULL;
    char *text = json_dumps(manifest->json, JSON_COMPACT);
    FUZZ_CHECK(text != NULL);
    FUZZ_CHECK(pawl_manifest_parse((pawl_bytes){text, strlen(text)}, &again, &error) == PAWL_OK);
    FUZZ_CHECK(json_equal(manifest->json, again->json));
    FUZZ_CHECK(manifest->kinds == again->kinds && manifest->facets == again->facets);
    FUZZ_CHECK(strcmp(manifest->id, again->id) == 0 && strcmp(manifest->version, again->version) == 0);
    pawl_manifest_destroy(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pawl_error error = {0};
    pawl_manifest *manifest = NULL;
    pawl_status status = pawl_manifest_parse((pawl_bytes){data, size}, &manifest, &error);
    FUZZ_CHECK((status == PAWL_OK) == (manifest != NULL));
    if (manifest == NULL) {
        FUZZ_CHECK(error.status == status && strncmp(error.code, "loader.", 7) == 0);
        bool too_large = size > PAWL_MANIFEST_BYTES_MAX;
        FUZZ_CHECK(too_large || strchr(error.message, '$') != NULL || strchr(error.message, ':') != NULL);
        return 0;
    }
    FUZZ_CHECK(manifest->id[0] != '\0' && manifest->version[0] != '\0' && manifest->kinds != 0);
    check_operations(manifest->effects, manifest->effect_count);
    check_operations(manifest->operations, manifest->operation_count);
    check_processes(manifest);
    check_again(manifest);
    pawl_manifest_destroy(manifest);
    return 0;
}
