/* artifact_test.c: why it exists: code that a process is pinned to must be there, unchanged, while anyone holds it.
 * Catalogue S07, P12. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "view.h"

static void store(struct world *world, const char *kind, const char *content, uint8_t digest[32])
{
    failure_reset(&world->why);
    assert_int_equal(world->artifact->put(world->store, text_bytes(kind), text_bytes(content), digest, &world->why),
                     PAWL_OK);
    uint8_t expected[32];
    SHA256((const uint8_t *)content, strlen(content), expected);
    assert_memory_equal(digest, expected, 32);
    world_track_artifact(world, digest);
    world_settle(world);
}

static bool content_is(struct world *world, const uint8_t digest[32], const char *content, const char *kind)
{
    pawl_sink bytes = {0};
    pawl_sink name = {0};
    pawl_status status = world->artifact->get(world->store, digest, &bytes, &name, &world->why);
    bool right = status == PAWL_OK && bytes.size == strlen(content) && name.size == strlen(kind) &&
                 (bytes.size == 0 || memcmp(bytes.data, content, bytes.size) == 0) &&
                 (name.size == 0 || memcmp(name.data, kind, name.size) == 0);
    sink_reset(&bytes);
    sink_reset(&name);
    return right;
}

static pawl_status hold(struct world *world, const uint8_t digest[32], const char *holder)
{
    failure_reset(&world->why);
    pawl_status status = world->artifact->hold(world->store, digest, text_bytes(holder), &world->why);
    world_settle(world);
    return status;
}

static pawl_status let_go(struct world *world, const uint8_t digest[32], const char *holder)
{
    failure_reset(&world->why);
    pawl_status status = world->artifact->release(world->store, digest, text_bytes(holder), &world->why);
    world_settle(world);
    return status;
}

static pawl_status discard(struct world *world, const uint8_t digest[32])
{
    failure_reset(&world->why);
    pawl_status status = world->artifact->remove(world->store, digest, &world->why);
    world_settle(world);
    return status;
}

static void test_S07_put_and_get_by_digest(void **state)
{
    struct world *world = *state;
    uint8_t digest[32];
    store(world, "plugin", "ELF and so on", digest);
    assert_true(content_is(world, digest, "ELF and so on", "plugin"));
    uint8_t again[32];
    store(world, "plugin", "ELF and so on", again);
    assert_memory_equal(digest, again, 32);
    assert_true(content_is(world, digest, "ELF and so on", "plugin"));
    pawl_sink bytes = {0};
    assert_int_equal(world->artifact->get(world->store, digest, &bytes, NULL, &world->why), PAWL_OK);
    assert_int_equal(bytes.size, 13);
    sink_reset(&bytes);
    store(world, "flow", "", again);
    assert_true(content_is(world, again, "", "flow"));
}

static void test_S07_unknown_is_none_and_no_fault(void **state)
{
    struct world *world = *state;
    uint8_t unknown[32] = {9, 9, 9};
    pawl_sink bytes = {0};
    assert_int_equal(world->artifact->get(world->store, unknown, &bytes, NULL, &world->why), PAWL_E_NOT_FOUND);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(hold(world, unknown, "p"), PAWL_E_NOT_FOUND);
    pawl_status status = discard(world, unknown);
    assert_true(status == PAWL_E_NOT_FOUND || status == PAWL_OK);
}

static void test_P12_what_is_held_is_not_removed_and_the_holder_is_named(void **state)
{
    struct world *world = *state;
    uint8_t digest[32];
    store(world, "plugin", "pinned", digest);
    assert_int_equal(hold(world, digest, "process-17"), PAWL_OK);
    assert_int_equal(hold(world, digest, "process-17"), PAWL_OK);
    assert_int_equal(discard(world, digest), PAWL_E_BUSY);
    failure_reset(&world->why);
    assert_int_equal(world->artifact->remove(world->store, digest, &world->why), PAWL_E_BUSY);
    assert_true(failure_mentions(&world->why, "process-17"));
    assert_int_equal(hold(world, digest, "process-18"), PAWL_OK);
    assert_int_equal(let_go(world, digest, "process-17"), PAWL_OK);
    assert_int_equal(let_go(world, digest, "process-17"), PAWL_OK);
    assert_int_equal(discard(world, digest), PAWL_E_BUSY);
    assert_true(content_is(world, digest, "pinned", "plugin"));
    assert_int_equal(let_go(world, digest, "process-18"), PAWL_OK);
    assert_int_equal(discard(world, digest), PAWL_OK);
    pawl_sink gone = {0};
    assert_int_equal(world->artifact->get(world->store, digest, &gone, NULL, &world->why), PAWL_E_NOT_FOUND);
    store(world, "plugin", "pinned", digest); /* and it can come back, held by nobody */
    assert_int_equal(discard(world, digest), PAWL_OK);
}

static void test_P12_holders_do_not_mix_artifacts_up(void **state)
{
    struct world *world = *state;
    uint8_t one[32];
    uint8_t two[32];
    store(world, "plugin", "one", one);
    store(world, "plugin", "two", two);
    assert_int_equal(hold(world, one, "p"), PAWL_OK);
    assert_int_equal(let_go(world, two, "p"), PAWL_OK);
    assert_int_equal(let_go(world, one, "p2"), PAWL_OK);
    assert_int_equal(discard(world, two), PAWL_OK);
    assert_int_equal(discard(world, one), PAWL_E_BUSY);
}

static void test_S07_a_large_artifact(void **state)
{
    struct world *world = *state;
    size_t size = (size_t)6 << 20;
    uint8_t *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)((i * 2246822519u) >> 11);
    uint8_t digest[32];
    pawl_status stored =
        world->artifact->put(world->store, text_bytes("plugin"), bytes_of(data, size), digest, &world->why);
    if (stored == PAWL_OK)
        world_track_artifact(world, digest);
    uint64_t expected = bytes_hash(bytes_of(data, size));
    free(data);
    assert_int_equal(stored, PAWL_OK);
    world_settle(world);
    pawl_sink sink = {0};
    pawl_status status = world->artifact->get(world->store, digest, &sink, NULL, &world->why);
    bool same = sink.size == size && bytes_hash(bytes_of(sink.data, sink.size)) == expected;
    sink_reset(&sink);
    assert_int_equal(status, PAWL_OK);
    assert_true(same);
}

static const struct CMUnitTest artifact_tests[] = {
    CASE(test_S07_put_and_get_by_digest),
    CASE(test_S07_unknown_is_none_and_no_fault),
    CASE(test_S07_a_large_artifact),
    CASE(test_P12_what_is_held_is_not_removed_and_the_holder_is_named),
    CASE(test_P12_holders_do_not_mix_artifacts_up),
};
const struct group artifact_group = GROUP(artifact, FACET_BIT(PAWL_FACET_ARTIFACT));
