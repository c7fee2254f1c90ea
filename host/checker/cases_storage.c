/* cases_storage.c: providers of storage: the tier they claim, opening and closing, and, by the program that does
 * nothing else, everything a facet promises. */
#include "call.h"
#include "cases.h"

#include <errno.h>
#include <ftw.h>
#include <libgen.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define PLACE "%DIR%"
enum { ROUNDS = 3, DEPTH = 16 };

/* A fresh directory, and the store's config with its path in the place of %DIR%. */
typedef struct {
    char directory[64];
    char *config;
} ground;

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

static bool break_ground(const checker_lab *lab, ground *g)
{
    const char *config = lab->options->store == NULL ? "{}" : lab->options->store;
    size_t size = 0;
    FILE *out = open_memstream(&g->config, &size);
    snprintf(g->directory, sizeof g->directory, "/tmp/pawl-check-XXXXXX");
    if (out == NULL || mkdtemp(g->directory) == NULL)
        return false;
    for (const char *at = strstr(config, PLACE); at != NULL; at = strstr(config, PLACE)) {
        fprintf(out, "%.*s%s", (int)(at - config), config, g->directory);
        config = at + strlen(PLACE);
    }
    fputs(config, out);
    return fclose(out) == 0;
}

static void leave_ground(ground *g)
{
    free(g->config);
    nftw(g->directory, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS);
}

static const char *reason(const lab_why *why, char text[400])
{
    snprintf(text, 400, "%.*s", (int)why->slot.failure.message.size, (const char *)why->slot.failure.message.data);
    return why->slot.set ? text : "no reason given";
}

/* ---- the tier ---- */

static void look_at_tier(checker_lab *lab, const ground *g, uint32_t facet)
{
    char text[64], said[400];
    uint32_t tier = UINT32_MAX;
    lab_why *why = lab_why_create();
    const char *name = pawl_manifest_facet_name(facet);
    lab_stage(lab, "tier of the facet %s", name);
    pawl_status status = lab->tables.storage.tier(pawl_bytes_text(g->config), facet, &tier, &why->slot);
    lab_why_close(why);
    lab_checked(lab);
    if (status != PAWL_OK)
        lab_find(lab, VERDICT_FAIL, name, "the tier it has with these settings; give them with --store",
                 "status %s: %s", lab_status_text(status, text), reason(why, said));
    else if (tier > PAWL_TIER_REPLICATED)
        lab_find(lab, VERDICT_FAIL, name, "one of the tiers of pawl_abi.h", "the tier %u", tier);
    else if (tier > lab->manifest->tiers[facet])
        lab_find(lab, VERDICT_FAIL, name, "at most what the manifest says: it names the tier at best",
                 "the tier %s, where the manifest says %s", pawl_manifest_tier_name(tier),
                 pawl_manifest_tier_name(lab->manifest->tiers[facet]));
}

void case_storage_tier(checker_lab *lab)
{
    ground g = {.config = NULL};
    if (!lab_tables(lab) || !break_ground(lab, &g))
        return;
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++)
        if ((lab->manifest->facets & (1u << facet)) != 0)
            look_at_tier(lab, &g, facet);
    leave_ground(&g);
    lab_close(lab);
}

/* ---- opening ---- */

static void look_at_facts(checker_lab *lab, pawl_store *store)
{
    char text[64];
    if (lab->tables.storage.describe == NULL)
        return;
    lab_sink *sink = lab_sink_create(LAB_OUTPUT_MAX);
    lab_why *why = lab_why_create();
    lab_stage(lab, "describe");
    pawl_status status = lab->tables.storage.describe(store, &sink->sink, &why->slot);
    pawl_bytes bytes = pawl_sink_bytes(&sink->sink);
    json_t *json = json_loadb(bytes.data, bytes.size, 0, NULL);
    if (status != PAWL_OK || !json_is_object(json))
        lab_find(lab, VERDICT_FAIL, "describe", "one JSON object", "status %s and %zu bytes%s",
                 lab_status_text(status, text), bytes.size, json == NULL ? " that are no JSON" : "");
    json_decref(json);
}

void case_storage_open(checker_lab *lab)
{
    ground g = {.config = NULL};
    char text[64], said[400];
    if (!lab_tables(lab) || !break_ground(lab, &g))
        return;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        pawl_store *store = NULL;
        lab_why *why = lab_why_create();
        lab_stage(lab, "open number %u", round);
        pawl_status status = lab->tables.storage.open(&lab->host.root, pawl_bytes_text(g.config), &store, &why->slot);
        lab_why_close(why);
        lab_checked(lab);
        if (status != PAWL_OK || store == NULL) {
            lab_find(lab, VERDICT_FAIL, "open", "a store; give its config with --store", "at number %u status %s: %s",
                     round, lab_status_text(status, text), reason(why, said));
            break;
        }
        look_at_facts(lab, store);
        lab_stage(lab, "close number %u", round);
        lab->tables.storage.close(store);
    }
    leave_ground(&g);
    lab_close(lab);
}

/* ---- everything else ---- */

/* Beside this program, in the build tree, or by name. */
static const char *find_conformance(char path[PATH_MAX])
{
    char own[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
    if (size > 0) {
        own[size] = '\0';
        snprintf(path, PATH_MAX, "%.4000s/pawl-conformance", dirname(own));
        if (access(path, X_OK) == 0)
            return path;
    }
    snprintf(path, PATH_MAX, "%s", PAWL_CONFORMANCE_BUILD_PATH);
    if (access(path, X_OK) == 0)
        return path;
    const char *list = getenv("PATH");
    for (const char *at = list; at != NULL && *at != '\0'; at += strspn(at, ":")) {
        size_t length = strcspn(at, ":");
        snprintf(path, PATH_MAX, "%.*s/pawl-conformance", (int)length, at);
        if (access(path, X_OK) == 0)
            return path;
        at += length;
    }
    return NULL;
}

static void run_conformance(checker_lab *lab, char *program)
{
    static char names[][12] = {"--plugin", "--config", "--facets", "--durable"};
    char facets[16];
    uint32_t least = PAWL_TIER_REPLICATED;
    pid_t pid = 0;
    int end = 0;
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++)
        if ((lab->manifest->facets & (1u << facet)) != 0 && lab->manifest->tiers[facet] < least)
            least = lab->manifest->tiers[facet];
    snprintf(facets, sizeof facets, "%u", lab->manifest->facets);
    char *words[] = {program,
                     names[0],
                     (char *)(uintptr_t)lab->options->path,
                     names[1],
                     (char *)(uintptr_t)(lab->options->store == NULL ? "{}" : lab->options->store),
                     names[2],
                     facets,
                     least > PAWL_TIER_INLINE ? names[3] : NULL,
                     NULL};
    lab_stage(lab, "%s", program);
    int failed = posix_spawn(&pid, program, NULL, NULL, words, environ);
    while (failed == 0 && waitpid(pid, &end, 0) < 0 && errno == EINTR)
        continue;
    lab_checked(lab);
    if (failed != 0 || !WIFEXITED(end) || WEXITSTATUS(end) != 0)
        lab_find(lab, VERDICT_FAIL, NULL, "exit code 0; what it printed says which test failed",
                 "that %s ends with %s %d", program, failed != 0 || WIFEXITED(end) ? "exit code" : "signal",
                 failed != 0      ? failed
                 : WIFEXITED(end) ? WEXITSTATUS(end)
                                  : WTERMSIG(end));
}

void case_storage_conformance(checker_lab *lab)
{
    char program[PATH_MAX];
    if (!lab_read(lab))
        return;
    if (find_conformance(program) == NULL) {
        lab_skip(lab, "the program pawl-conformance is not here; put it into PATH: it is built with Pawl's tests, and "
                      "tries everything that a facet promises");
        return;
    }
    run_conformance(lab, program);
}
