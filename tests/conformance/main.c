/* main.c: the program pawl-conformance: which provider, which groups. It must never know anything of a provider but its
 * description. */
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "groups.h"

static const char usage[] =
    "usage: pawl-conformance --provider NAME [options]\n"
    "       pawl-conformance --plugin FILE.so --config JSON [--durable] [--files] [--tier 0..3] [options]\n"
    "  --config JSON      the store's configuration; %DIR% stands for a fresh directory\n"
    "  --durable          what is acknowledged survives closing and opening\n"
    "  --files            the store lives in files below %DIR%\n"
    "  --log-suffix TEXT  how its write-ahead logs' names end (with --files: damage tests)\n"
    "  --strict           it refuses unknown configuration keys by name\n"
    "  --tier N           the tier every facet must report\n"
    "  --facets MASK      what it must offer: 1 attachment, 2 artifact, 4 session, 8 registry; 15 is all, the default\n"
    "  --reopen           close and open after every change of every scenario (needs a durable provider)\n"
    "  --group NAME       only this group (may be repeated); --list shows them\n"
    "  --filter PATTERN   only tests that match (* and ?)\n"
    "  --seed N           of the randomised tests; --steps N: how long; --iterations N: of the races; --threads N\n"
    "  --list             print providers and groups\n";

struct command {
    struct world_options options;
    pawl_conformance_provider loaded;
    const char *plugin;
    const char *child;
    const char *directory;
    const char *only[16];
    size_t only_count;
    bool list;
};

static const struct group *const groups[] = {
    &registration_group, &journal_group,   &post_group,       &family_group,     &waiting_group,  &lease_group,
    &deadline_group,     &claim_group,     &scheduling_group, &list_group,       &prune_group,    &runs_group,
    &session_group,      &queue_group,     &attachment_group, &queue_wait_group, &together_group, &artifact_group,
    &damage_group,       &lifecycle_group, &concurrent_group, &model_group,
};

static bool take_flag(struct command *command, const char *flag)
{
    pawl_conformance_provider *loaded = &command->loaded;
    if (strcmp(flag, "--durable") == 0)
        loaded->survives_reopen = true;
    else if (strcmp(flag, "--files") == 0)
        loaded->files = true;
    else if (strcmp(flag, "--strict") == 0)
        loaded->strict_config = true;
    else if (strcmp(flag, "--reopen") == 0)
        command->options.reopen = true;
    else if (strcmp(flag, "--list") == 0)
        command->list = true;
    else
        return false;
    return true;
}

static bool take_value(struct command *command, const char *flag, const char *value)
{
    pawl_conformance_provider *loaded = &command->loaded;
    if (strcmp(flag, "--provider") == 0) {
        const pawl_conformance_provider *found = pawl_conformance_find(value);
        if (found)
            *loaded = *found;
        return found != NULL;
    }
    if (strcmp(flag, "--group") == 0 && command->only_count < sizeof(command->only) / sizeof(command->only[0]))
        command->only[command->only_count++] = value;
    else if (strcmp(flag, "--filter") == 0)
        cmocka_set_test_filter(value);
    else if (strcmp(flag, "--plugin") == 0)
        command->plugin = value;
    else if (strcmp(flag, "--config") == 0)
        loaded->config_template = value;
    else if (strcmp(flag, "--log-suffix") == 0)
        loaded->log_suffix = value;
    else if (strcmp(flag, "--tier") == 0)
        for (size_t i = 0; i < PAWL_FACET_COUNT; i++)
            loaded->tier[i] = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(flag, "--facets") == 0)
        loaded->facets = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(flag, "--seed") == 0)
        command->options.seed = strtoull(value, NULL, 10);
    else if (strcmp(flag, "--steps") == 0)
        command->options.steps = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(flag, "--iterations") == 0)
        command->options.iterations = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(flag, "--threads") == 0)
        command->options.threads = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(flag, "--child") == 0)
        command->child = value;
    else if (strcmp(flag, "--directory") == 0)
        command->directory = value;
    else
        return false;
    return true;
}

static bool parse(struct command *command, int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        if (take_flag(command, arguments[i]))
            continue;
        if (i + 1 == count || !take_value(command, arguments[i], arguments[i + 1])) {
            fprintf(stderr, "not understood: %s %s\n%s", arguments[i], i + 1 < count ? arguments[i + 1] : "", usage);
            return false;
        }
        i++;
    }
    return true;
}

static bool load_plugin(struct command *command)
{
    void *library = dlopen(command->plugin, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return false;
    }
    pawl_plugin_entry_fn entry = NULL;
    void *symbol = dlsym(library, PAWL_PLUGIN_ENTRY_SYMBOL);
    memcpy(&entry, &symbol, sizeof(entry));
    if (!entry) {
        fprintf(stderr, "%s does not export %s\n", command->plugin, PAWL_PLUGIN_ENTRY_SYMBOL);
        return false;
    }
    command->loaded.name = command->plugin;
    command->loaded.root = entry;
    if (!command->loaded.config_template)
        command->loaded.config_template = "{}";
    return true;
}

static bool is_chosen(const struct command *command, const struct group *group)
{
    if ((group->facets & command->loaded.facets) != group->facets)
        return false;
    for (size_t i = 0; i < command->only_count; i++)
        if (strcmp(command->only[i], group->name) == 0)
            return true;
    /* Damage is done to a closed store: reopening after each change would add nothing but time. */
    return command->only_count == 0 && !(command->options.reopen && group == &damage_group);
}

static int run_group(struct command *command, const struct group *group)
{
    struct CMUnitTest tests[64];
    char name[128];
    if (group->count > sizeof(tests) / sizeof(tests[0]))
        abort();
    for (size_t i = 0; i < group->count; i++) {
        tests[i] = group->tests[i];
        tests[i].initial_state = &command->options;
    }
    snprintf(name, sizeof(name), "%s%s/%s", command->options.provider->name, command->options.reopen ? "+reopen" : "",
             group->name);
    return _cmocka_run_group_tests(name, tests, group->count, NULL, NULL);
}

/* Lets a test mount a small file system that nobody else sees and that vanishes with this program. */
static bool enter_own_mounts(void)
{
    return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void print_list(void)
{
    pawl_conformance_print_names();
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        printf("group %s: %zu tests\n", groups[i]->name, groups[i]->count);
}

int main(int count, char **arguments)
{
    struct command command = {
        .loaded = {.facets = (1u << PAWL_FACET_COUNT) - 1u},
        .options = {.seed = (uint64_t)time(NULL), .steps = 4000, .iterations = 10000, .threads = 8},
    };
    if (!parse(&command, count, arguments))
        return 2;
    if (command.list) {
        print_list();
        return 0;
    }
    if (command.plugin && !load_plugin(&command))
        return 2;
    command.options.provider = &command.loaded;
    if (!command.loaded.root || (command.options.reopen && !command.loaded.survives_reopen)) {
        fputs(usage, stderr);
        return 2;
    }
    command.options.argument_count = count;
    command.options.arguments = arguments;
    if (command.child)
        return child_main(&command.options, command.child, command.directory);
    if (command.options.provider->files)
        command.options.own_mounts = enter_own_mounts();
    printf("provider %s, seed %llu\n", command.options.provider->name, (unsigned long long)command.options.seed);
    fflush(stdout);
    int failed = 0;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (is_chosen(&command, groups[i]))
            failed += run_group(&command, groups[i]);
    return failed == 0 ? 0 : 1;
}
