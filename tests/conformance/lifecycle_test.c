/* lifecycle_test.c: why it exists: what a store says about itself, opening and closing it, and what another process
 * finds. Catalogue S09 and S10 as far as they can be seen from outside, G01-G07's tiers, V01's kill, H01, H09. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "files.h"
#include "groups.h"
#include "step.h"
#include "view.h"

/* A directory beside the world's own store. */
static void make_directory(struct world *world, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", world->directory, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void test_G01_G07_tiers_are_what_the_settings_give(void **state)
{
    struct world *world = *state;
    char path[512];
    make_directory(world, "untouched", path, sizeof(path));
    char *config = world_make_config(world->provider, path);
    bool right = true;
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++) {
        uint32_t tier = 99;
        pawl_status status = world->storage->tier(text_bytes(config), facet, &tier, &world->why);
        bool offered = (world->provider->facets & (1u << facet)) != 0;
        right = right && (!offered || (status == PAWL_OK && tier == world->provider->tier[facet]));
    }
    uint32_t tier = 99;
    pawl_status no_facet = world->storage->tier(text_bytes(config), PAWL_FACET_COUNT, &tier, &world->why);
    free(config);
    assert_true(right);
    assert_true(no_facet < 0);
    assert_int_equal(files_total(path, NULL), 0); /* asking opens nothing */
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(world->storage->facets & world->provider->facets, world->provider->facets);
}

static void test_P01_the_root_is_well_formed(void **state)
{
    struct world *world = *state;
    const pawl_plugin_root *root = world->root;
    assert_true(root->struct_size >= sizeof(pawl_plugin_root));
    assert_int_equal(root->abi_major, PAWL_ABI_MAJOR);
    assert_true(root->abi_minor_min <= PAWL_ABI_MINOR);
    json_t *manifest = json_loadb(root->manifest_json.data, root->manifest_json.size, 0, NULL);
    assert_non_null(manifest);
    const char *id = json_string_value(json_object_get(manifest, "id"));
    const char *version = json_string_value(json_object_get(manifest, "version"));
    bool same = id && version && strcmp(id, root->id) == 0 && strcmp(version, root->version) == 0;
    json_decref(manifest);
    assert_true(same);
    assert_null(root->get_factory("com.example.no-such-factory/1"));
    assert_null(root->get_factory(PAWL_FACTORY_CONNECTOR));
    assert_ptr_equal(root->get_factory(PAWL_FACTORY_REGISTRY), world->registry);
}

static void refuse_config(struct world *world, const char *config, const char *named)
{
    pawl_store *store = NULL;
    pawl_status status = world_open_other(world, config, &store);
    if (status == PAWL_OK)
        world->storage->close(store);
    assert_true(status < 0);
    assert_true(world->why.message[0] != '\0');
    if (named)
        assert_true(failure_mentions(&world->why, named));
}

static void test_H06_a_bad_configuration_is_refused_by_name(void **state)
{
    struct world *world = *state;
    refuse_config(world, "not json", NULL);
    refuse_config(world, "[]", NULL);
    if (!world->provider->strict_config)
        return;
    char *config = world_make_config(world->provider, "/nonexistent/for/this");
    char *unknown = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&unknown, &size);
    const char *rest = strchr(config, '{') + 1;
    bool empty = rest[strspn(rest, " \t")] == '}';
    fprintf(out, "{\"no_such_key\": 1%s%s", empty ? "" : ",", rest);
    fclose(out);
    free(config);
    refuse_config(world, unknown, "no_such_key");
    uint32_t tier;
    failure_reset(&world->why);
    pawl_status status = world->storage->tier(text_bytes(unknown), PAWL_FACET_REGISTRY, &tier, &world->why);
    free(unknown);
    assert_true(status < 0);
}

static void test_S12_describe_tells_facts_as_json(void **state)
{
    struct world *world = *state;
    pawl_sink sink = {0};
    assert_int_equal(world->storage->describe(world->store, &sink, &world->why), PAWL_OK);
    json_error_t error;
    json_t *facts = json_loadb((const char *)sink.data, sink.size, 0, &error);
    sink_reset(&sink);
    bool object = json_is_object(facts) && json_object_size(facts) > 0;
    json_decref(facts);
    assert_true(object);
}

static void test_H01_stores_open_and_close_any_number_of_times(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 4; i++) {
        world_close(world, i % 2 == 0);
        assert_int_equal(world_open(world), PAWL_OK);
    }
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
}

static void test_H01_two_stores_and_two_hosts_know_nothing_of_each_other(void **state)
{
    struct world *world = *state;
    struct world *other = world_create(world->options, NULL);
    assert_non_null(other);
    assert_int_equal(world_open(other), PAWL_OK);
    assert_int_equal(step_run(step_register(world, "p", "t", "one")), PAWL_OK);
    pawl_status second = step_run(step_register(other, "p", "t", "two"));
    struct row row;
    pawl_status found = row_get(other, "p", &row);
    host_advance(other->host, HOST_SECOND_NS);
    world_destroy(other, true);
    assert_int_equal(second, PAWL_OK);
    assert_int_equal(found, PAWL_OK);
    assert_int_equal(row_of(world, "p").created_unix_ns, HOST_START_UNIX_NS);
    assert_int_equal(step_run(step_register(world, "q", "t", "three")), PAWL_OK);
}

static void test_S10_a_second_opener_in_this_process_is_refused(void **state)
{
    struct world *world = *state;
    if (!world->provider->files)
        skip();
    pawl_store *store = NULL;
    pawl_status status = world_open_other(world, world->config, &store);
    if (status == PAWL_OK)
        world->storage->close(store);
    assert_int_equal(status, PAWL_E_BUSY);
    assert_true(world->why.message[0] != '\0');
    assert_int_equal(step_run(step_register(world, "still mine", "t", "")), PAWL_OK);
}

static void test_S10_a_second_opener_is_refused_and_told_the_holder(void **state)
{
    struct world *world = *state;
    if (!world->provider->files)
        skip();
    char output[4096];
    char expected[32];
    char pid[16];
    assert_int_equal(child_run(world->options, "open", world->directory, output, sizeof(output)), 0);
    snprintf(expected, sizeof(expected), "%d ", PAWL_E_BUSY);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (strncmp(output, expected, strlen(expected)) != 0 || !strstr(output, pid))
        fail_msg("a second opener (the first is %s) was told: %s", pid, output);
    assert_int_equal(step_run(step_register(world, "still mine", "t", "")), PAWL_OK);
    world_close(world, true);
    assert_int_equal(child_run(world->options, "open", world->directory, output, sizeof(output)), 0);
    assert_int_equal(strncmp(output, "0 ", 2), 0);
    assert_int_equal(world_open(world), PAWL_OK);
}

static void test_S10_a_place_that_cannot_be_is_a_typed_error(void **state)
{
    struct world *world = *state;
    if (!world->provider->files)
        skip();
    char *config = world_make_config(world->provider, "/dev/null/nowhere");
    pawl_store *store = NULL;
    pawl_status status = world_open_other(world, config, &store);
    free(config);
    assert_true(status < 0);
    assert_true(failure_mentions(&world->why, "/dev/null/nowhere"));
}

static void test_S10_a_directory_of_something_else_is_not_taken_over(void **state)
{
    struct world *world = *state;
    if (!world->provider->files)
        skip();
    char path[512];
    make_directory(world, "file-here", path, sizeof(path));
    char *config = world_make_config(world->provider, path);
    json_t *parsed = json_loads(config, 0, NULL);
    const char *place = json_string_value(json_object_get(parsed, "path"));
    FILE *file = place ? fopen(place, "w") : NULL; /* a plain file where the store should be */
    if (file)
        fclose(file);
    json_decref(parsed);
    pawl_store *store = NULL;
    pawl_status status = world_open_other(world, config, &store);
    free(config);
    if (!file)
        skip();
    if (status == PAWL_OK)
        world->storage->close(store);
    assert_true(status < 0);
    assert_true(world->why.message[0] != '\0');
}

static void test_H07_closing_completes_everything_and_keeps_what_was_acknowledged(void **state)
{
    struct world *world = *state;
    enum { COUNT = 300 };
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct step *watch = step_watch(world, "p", 0, 0);
    step_submit(watch);
    struct step *posts[COUNT];
    for (int i = 0; i < COUNT; i++) {
        char post_id[16];
        snprintf(post_id, sizeof(post_id), "s-%d", i);
        posts[i] = step_post(world, PAWL_RECORD_SIGNAL, "p", post_id, post_id);
        step_submit(posts[i]);
    }
    world_close(world, true);
    uint64_t last = 1;
    for (int i = 0; i < COUNT; i++) {
        assert_true(host_is_done(world->host, &posts[i]->pending));
        assert_true(posts[i]->op.status == PAWL_OK || posts[i]->op.status == PAWL_E_CLOSED);
        if (posts[i]->op.status == PAWL_OK)
            last = posts[i]->op.sequence;
    }
    assert_true(host_is_done(world->host, &watch->pending));
    assert_int_equal(watch->op.status, PAWL_E_CLOSED);
    assert_int_equal(world_open(world), PAWL_OK);
    if (world->provider->survives_reopen)
        assert_int_equal(row_of(world, "p").head, last);
}

static void test_V01_a_killed_program_leaves_what_was_acknowledged(void **state)
{
    struct world *world = *state;
    if (!world->provider->survives_reopen)
        skip();
    world_close(world, true);
    for (int round = 0; round < 3; round++) {
        char output[sizeof(world->why.message)];
        char path[512];
        snprintf(path, sizeof(path), "%s/round-%d", world->directory, round);
        assert_int_equal(mkdir(path, 0700), 0);
        int pid;
        int from;
        assert_true(child_start(world->options, "post-until-killed", path, &pid, &from));
        uint64_t last = 0;
        uint64_t sequence;
        int wanted = 20 + round * 37;
        while (wanted-- > 0 && read(from, &sequence, sizeof(sequence)) == (ssize_t)sizeof(sequence))
            last = sequence;
        kill(pid, SIGKILL);
        while (read(from, &sequence, sizeof(sequence)) == (ssize_t)sizeof(sequence))
            last = sequence;
        close(from);
        waitpid(pid, NULL, 0);
        assert_true(last >= 20);
        struct world *left = world_create(world->options, path);
        assert_non_null(left);
        pawl_status status = world_open(left);
        struct row row = {0};
        size_t records = 0;
        if (status == PAWL_OK && row_get(left, "busy", &row) == PAWL_OK)
            records = journal_read(left, row.number, 1, 0, NULL, 0, NULL);
        snprintf(output, sizeof(output), "%s", left->why.message);
        world_destroy(left, false);
        if (status != PAWL_OK)
            fail_msg("after a kill: %s", output);
        assert_int_equal(records, row.head);
        assert_true(row.head >= last && row.head <= last + 1); /* the last one may have been on its way */
    }
    assert_int_equal(world_open(world), PAWL_OK);
}

static void test_L03_the_lease_of_a_killed_program_is_void_and_its_token_old(void **state)
{
    struct world *world = *state;
    if (!world->provider->survives_reopen)
        skip();
    world_close(world, true);
    char output[256];
    assert_int_equal(child_run(world->options, "die-with-a-lease", world->directory, output, sizeof(output)), 0);
    unsigned long long token = 0;
    unsigned long long sequence = 0;
    assert_int_equal(sscanf(output, "%llu %llu", &token, &sequence), 2);
    assert_int_equal(world_open(world), PAWL_OK);
    struct row row;
    if (claim_type(world, world->worker, "t", 1, &row) == 0) { /* the other's session may live on until it expires */
        host_advance_mono(world->host, WORKER_TTL_NS - 1);
        assert_int_equal(world->registry->heartbeat(world->store, world->worker), PAWL_OK);
        host_advance_mono(world->host, 1);
        assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
    }
    assert_string_equal(row.id.head, "held");
    assert_true(row.token > token);
    assert_int_equal(row.head, sequence);
    assert_int_equal(step_run(step_append(world, row.number, (uint64_t)token, "from the dead")), PAWL_E_STALE);
}

static void test_H09_an_idle_store_writes_nothing(void **state)
{
    struct world *world = *state;
    if (!world->provider->files)
        skip();
    struct lease lease = lease_new(world, "sleeper", "t");
    lease_suspend(world, &lease, HOST_START_UNIX_NS + UINT64_C(3600) * HOST_SECOND_NS);
    uint64_t before = files_total(world->directory, "LOG");
    for (int i = 0; i < 2000; i++) {
        struct row row;
        host_advance(world->host, HOST_SECOND_NS);
        assert_int_equal(world->registry->heartbeat(world->store, world->worker), PAWL_OK);
        if (i % 100 == 0) {
            world->registry->tick(world->store);
            assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
        }
    }
    assert_int_equal(files_total(world->directory, "LOG"), before);
}

static const struct CMUnitTest lifecycle_tests[] = {
    CASE(test_P01_the_root_is_well_formed),
    CASE(test_G01_G07_tiers_are_what_the_settings_give),
    CASE(test_H06_a_bad_configuration_is_refused_by_name),
    CASE(test_S12_describe_tells_facts_as_json),
    CASE(test_H01_stores_open_and_close_any_number_of_times),
    CASE(test_H01_two_stores_and_two_hosts_know_nothing_of_each_other),
    CASE(test_H07_closing_completes_everything_and_keeps_what_was_acknowledged),
    CASE(test_H09_an_idle_store_writes_nothing),
    CASE(test_S10_a_second_opener_in_this_process_is_refused),
    CASE(test_S10_a_second_opener_is_refused_and_told_the_holder),
    CASE(test_S10_a_place_that_cannot_be_is_a_typed_error),
    CASE(test_S10_a_directory_of_something_else_is_not_taken_over),
    CASE(test_V01_a_killed_program_leaves_what_was_acknowledged),
    CASE(test_L03_the_lease_of_a_killed_program_is_void_and_its_token_old),
};
const struct group lifecycle_group = GROUP(lifecycle, REGISTRY_BIT);
