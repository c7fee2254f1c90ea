/* damage_test.c: why it exists: a damaged or full disk may cost what was never acknowledged, may stop a store, but must
 * never be answered with wrong data. Catalogue S10 and the second half of S07. Only for providers with files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "groups.h"
#include "step.h"
#include "view.h"

#define PROCESSES 8
#define POSTS     40

/* The content is known from the id alone, so that every surviving byte can be checked. */
static void fill(struct world *world)
{
    for (int i = 0; i < PROCESSES; i++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%d", i);
        assert_int_equal(step_run(step_register(world, id, "t", id)), PAWL_OK);
    }
    for (int i = 0; i < POSTS; i++) {
        char id[16];
        char body[200];
        snprintf(id, sizeof(id), "p-%d", i % PROCESSES);
        snprintf(body, sizeof(body), "%s post %d %0150d", id, i, i);
        struct step *post = step_post(world, PAWL_RECORD_SIGNAL, id, body, body);
        assert_int_equal(step_run(post), PAWL_OK);
    }
}

struct check {
    const char *id;
    int process;
    uint64_t next;
    bool wrong;
};

static int32_t check_record(void *context, const pawl_record *record)
{
    struct check *check = context;
    char expected[200];
    if (record->sequence == 1) {
        snprintf(expected, sizeof(expected), "%s", check->id);
    } else {
        int post = check->process + ((int)record->sequence - 2) * PROCESSES;
        snprintf(expected, sizeof(expected), "%s post %d %0150d", check->id, post, post);
    }
    check->wrong = check->wrong || record->sequence != check->next || record->body.size != strlen(expected) ||
                   memcmp(record->body.data, expected, record->body.size) != 0;
    check->next++;
    return 0;
}

static bool is_honest(pawl_status status)
{
    return status == PAWL_E_CORRUPT || status == PAWL_E_IO;
}

struct survey {
    uint64_t records; /* that were read, and right */
    bool wrong;       /* a wrong answer was given as a right one */
    bool refused;     /* something was refused as damaged */
};

/* Reads all there should be. A gap in what is there is wrong, unless a damage was reported; a shorter end is counted.
 */
static struct survey survey_store(struct world *world)
{
    struct survey survey = {0};
    for (int i = 0; i < PROCESSES; i++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%d", i);
        struct row row;
        pawl_status status = row_get(world, id, &row);
        survey.refused = survey.refused || is_honest(status);
        if (status != PAWL_OK) {
            survey.wrong = survey.wrong || (status != PAWL_E_NOT_FOUND && !is_honest(status));
            continue;
        }
        struct check check = {.id = id, .process = i, .next = 1};
        status = world->registry->journal(world->store, row.number, 1, 0, check_record, &check, &world->why);
        survey.refused = survey.refused || is_honest(status);
        survey.wrong = survey.wrong || check.wrong || (status != PAWL_OK && !is_honest(status)) ||
                       (status == PAWL_OK && check.next != row.head + 1);
        survey.records += check.next - 1;
    }
    return survey;
}

#define ALL_RECORDS (PROCESSES + POSTS)

/* Opens a damaged copy and surveys it. @return false when opening was refused (with a reason) */
static bool open_and_survey(struct world *world, const char *directory, struct survey *survey)
{
    struct world *copy = world_create(world->options, directory);
    assert_non_null(copy);
    pawl_status status = world_open(copy);
    bool silent = status != PAWL_OK && copy->why.message[0] == '\0';
    memset(survey, 0, sizeof(*survey));
    if (status == PAWL_OK)
        *survey = survey_store(copy);
    world_destroy(copy, true);
    assert_false(silent);
    return status == PAWL_OK;
}

static void test_S10_a_torn_end_of_the_log_is_tolerated(void **state)
{
    struct world *world = *state;
    if (!world->provider->files || !world->provider->log_suffix)
        skip();
    fill(world);
    char left[512]; /* what a crash leaves: after an orderly close a provider may know better */
    snprintf(left, sizeof(left), "%s-left", world->directory);
    assert_true(files_copy(world->directory, left));
    world_close(world, true);
    uint64_t last = 0;
    for (uint64_t cut = 1; cut < 4000; cut = cut * 3 + 1) {
        char copy[512];
        snprintf(copy, sizeof(copy), "%s-copy", world->directory);
        assert_true(files_copy(left, copy));
        struct file_list logs;
        files_list(copy, world->provider->log_suffix, &logs);
        assert_true(logs.count > 0);
        size_t newest = logs.count - 1;
        bool deep = logs.sizes[newest] > cut;
        if (deep)
            assert_true(files_cut(logs.paths[newest], logs.sizes[newest] - cut));
        struct survey survey = {0};
        bool opened = !deep || open_and_survey(world, copy, &survey);
        files_remove(copy);
        if (!deep)
            break;
        assert_true(opened);
        assert_false(survey.wrong);
        assert_false(survey.refused);
        assert_true(last == 0 || survey.records <= last); /* the more is cut, the less is left */
        assert_true(survey.records + cut / 100 + 2 >= ALL_RECORDS);
        last = survey.records;
    }
    files_remove(left);
    assert_int_equal(world_open(world), PAWL_OK);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void flip_bits(struct world *world, const char *suffix, int rounds, bool first_half)
{
    uint64_t random = world->options->seed;
    for (int round = 0; round < rounds; round++) {
        char copy[512];
        snprintf(copy, sizeof(copy), "%s-copy", world->directory);
        assert_true(files_copy(world->directory, copy));
        struct file_list files;
        files_list(copy, suffix, &files);
        uint64_t sizes = 0;
        for (size_t i = 0; i < files.count; i++)
            sizes += files.sizes[i];
        uint64_t range = first_half ? sizes / 2 : sizes;
        if (range == 0) {
            fail_msg("the files *%s are empty", suffix);
            return;
        }
        uint64_t at = next_random(&random) % range;
        size_t chosen = 0;
        while (at >= files.sizes[chosen])
            at -= files.sizes[chosen++];
        char name[512];
        snprintf(name, sizeof(name), "%s", files.paths[chosen]);
        assert_true(files_flip(name, at, (unsigned)next_random(&random)));
        struct survey survey;
        bool opened = open_and_survey(world, copy, &survey);
        files_remove(copy);
        /* Refused as a whole, refused in part, or everything is right. Never wrong, never silently less. */
        if (opened && (survey.wrong || (!survey.refused && survey.records != ALL_RECORDS)))
            fail_msg("a flipped bit at %llu of %s was not noticed: %llu of %d records, %s", (unsigned long long)at,
                     name, (unsigned long long)survey.records, ALL_RECORDS, survey.wrong ? "wrong data" : "loss");
    }
}

static void test_S10_a_flipped_bit_in_the_log_is_noticed(void **state)
{
    struct world *world = *state;
    if (!world->provider->files || !world->provider->log_suffix)
        skip();
    fill(world);
    world_close(world, true);
    flip_bits(world, world->provider->log_suffix, 12, true); /* the very end looks like a torn one */
    assert_int_equal(world_open(world), PAWL_OK);
}

static void test_S10_a_flipped_bit_anywhere_is_never_believed(void **state)
{
    struct world *world = *state;
    if (!world->provider->files || !world->provider->log_suffix)
        skip();
    fill(world);
    world_reopen(world); /* so that content has moved into tables */
    world_close(world, true);
    flip_bits(world, ".sst", 20, false);
    assert_int_equal(world_open(world), PAWL_OK);
}

/* ---- no space ---- */

static bool write_ballast(const char *path, size_t size)
{
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    bool good = file >= 0 && posix_fallocate(file, 0, (off_t)size) == 0;
    if (file >= 0)
        close(file);
    return good;
}

/* A world on a file system of its own, with ballast that can be thrown out. NULL when that cannot be made here. */
static struct world *small_world(struct world *world, char *ballast, size_t size)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/small", world->directory);
    if (!world->options->own_mounts || mkdir(path, 0700) != 0 || mount("none", path, "tmpfs", 0, "size=160m") != 0)
        return NULL;
    snprintf(ballast, size, "%s/ballast", path);
    if (!write_ballast(ballast, (size_t)48 << 20)) {
        umount2(path, MNT_DETACH);
        return NULL;
    }
    return world_create(world->options, path);
}

struct fullness {
    uint64_t acknowledged;
    pawl_status refusal;
    bool clear; /* the refusal said why */
    bool reads; /* everything acknowledged could be read while full */
    bool recovers;
    bool survives; /* and after reopening */
};

static pawl_status register_big(struct world *world, unsigned index, pawl_bytes body, bool *clear)
{
    char id[32];
    snprintf(id, sizeof(id), "big-%u", index);
    struct step *step = step_register(world, id, "t", id);
    step->request.registration.input = body;
    pawl_status status = step_run(step);
    *clear = step->why.message[0] != '\0';
    step_free(step);
    return status;
}

/* All that was acknowledged, whole, and nothing else. */
static bool is_all_there(struct world *world, const bool *acknowledged, unsigned count, uint64_t hash)
{
    for (unsigned i = 0; i < count; i++) {
        char id[32];
        struct row row;
        struct entry entry;
        snprintf(id, sizeof(id), "big-%u", i);
        pawl_status status = row_get(world, id, &row);
        if (!acknowledged[i] && status == PAWL_E_NOT_FOUND)
            continue;
        if (!acknowledged[i] || status != PAWL_OK || journal_read(world, row.number, 1, 0, &entry, 1, NULL) != 1 ||
            entry.body.hash != hash)
            return false;
    }
    return true;
}

static struct fullness fill_up(struct world *small, const char *ballast)
{
    struct fullness fullness = {0};
    bool acknowledged[1500] = {false};
    size_t size = (size_t)1 << 19;
    uint8_t *noise = malloc(size);
    uint64_t random = small->options->seed;
    for (size_t i = 0; i < size; i++)
        noise[i] = (uint8_t)next_random(&random);
    pawl_bytes body = bytes_of(noise, size);
    uint64_t hash = bytes_hash(body);
    unsigned index = 0;
    for (; index < 1000 && fullness.refusal == PAWL_OK; index++) {
        fullness.refusal = register_big(small, index, body, &fullness.clear);
        acknowledged[index] = fullness.refusal == PAWL_OK;
    }
    fullness.acknowledged = index - 1;
    fullness.reads = is_all_there(small, acknowledged, index, hash);
    unlink(ballast);
    for (int attempt = 0; attempt < 200 && !fullness.recovers; attempt++, index++) {
        bool clear;
        fullness.recovers = register_big(small, index, body, &clear) == PAWL_OK;
        acknowledged[index] = fullness.recovers;
        if (!fullness.recovers)
            usleep(50000); /* a provider may notice returned space in its own time: there is nothing to wait on */
    }
    free(noise);
    world_close(small, true);
    fullness.survives = world_open(small) == PAWL_OK && is_all_there(small, acknowledged, index, hash);
    return fullness;
}

static void test_S10_a_full_disk_refuses_reads_on_and_recovers(void **state)
{
    struct world *world = *state;
    if (!world->provider->files)
        skip();
    char ballast[600];
    struct world *small = small_world(world, ballast, sizeof(ballast));
    if (!small) {
        print_message("no file system of its own can be mounted here: %s\n", strerror(errno));
        skip();
    }
    struct fullness fullness = {0};
    pawl_status opened = world_open(small);
    if (opened == PAWL_OK)
        fullness = fill_up(small, ballast);
    char directory[256];
    snprintf(directory, sizeof(directory), "%s", small->directory);
    world_destroy(small, false);
    umount2(directory, MNT_DETACH);
    assert_int_equal(opened, PAWL_OK);
    assert_true(fullness.refusal == PAWL_E_FULL || fullness.refusal == PAWL_E_IO);
    assert_true(fullness.clear);
    assert_true(fullness.acknowledged > 1);
    assert_true(fullness.reads);
    assert_true(fullness.recovers);
    assert_true(fullness.survives);
}

static const struct CMUnitTest damage_tests[] = {
    CASE(test_S10_a_torn_end_of_the_log_is_tolerated),
    CASE(test_S10_a_flipped_bit_in_the_log_is_noticed),
    CASE(test_S10_a_flipped_bit_anywhere_is_never_believed),
    CASE(test_S10_a_full_disk_refuses_reads_on_and_recovers),
};
const struct group damage_group = GROUP(damage, REGISTRY_BIT);
