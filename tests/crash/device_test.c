/* device_test.c: a store on a device that is slow, full or broken, seen from where the system calls are: nothing is
 * acknowledged that is not flushed, nothing acknowledged is lost, and what can be written to again is written to again.
 */
#include "kill_line.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>

/* ---- the device ---- */

static struct device {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    bool held;        /* flushes of data wait */
    unsigned waiting; /* so many do */
    unsigned flushes; /* of data, done */
    int flush_error;  /* the next `failures` flushes fail with this */
    int write_error;  /* likewise writes */
    unsigned failures;
    ino_t watched; /* a directory */
    unsigned watched_flushes;
} device = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int take_error(const int *error)
{
    int found = 0;
    pthread_mutex_lock(&device.lock);
    if (*error != 0 && device.failures > 0) {
        device.failures--;
        found = *error;
    }
    pthread_mutex_unlock(&device.lock);
    return found;
}

/* In front of the C library's: the engine's calls come through here. */
__attribute__((visibility("default"))) int fdatasync(int file)
{
    int error = take_error(&device.flush_error);
    if (error != 0) {
        errno = error;
        return -1;
    }
    pthread_mutex_lock(&device.lock);
    device.waiting++;
    pthread_cond_broadcast(&device.changed);
    while (device.held)
        pthread_cond_wait(&device.changed, &device.lock);
    device.waiting--;
    device.flushes++;
    pthread_mutex_unlock(&device.lock);
    return (int)syscall(SYS_fdatasync, file);
}

__attribute__((visibility("default"))) ssize_t write(int file, const void *data, size_t size)
{
    int error = file <= 2 ? 0 : take_error(&device.write_error);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return (ssize_t)syscall(SYS_write, file, data, size);
}

__attribute__((visibility("default"))) int fsync(int file)
{
    struct stat facts;
    if (fstat(file, &facts) == 0) {
        pthread_mutex_lock(&device.lock);
        device.watched_flushes += facts.st_ino == device.watched;
        pthread_mutex_unlock(&device.lock);
    }
    return (int)syscall(SYS_fsync, file);
}

static void script(int flush_error, int write_error, unsigned failures)
{
    pthread_mutex_lock(&device.lock);
    device.flush_error = flush_error;
    device.write_error = write_error;
    device.failures = failures;
    pthread_mutex_unlock(&device.lock);
}

static void hold(bool held)
{
    pthread_mutex_lock(&device.lock);
    device.held = held;
    pthread_cond_broadcast(&device.changed);
    pthread_mutex_unlock(&device.lock);
}

/* ---- the store ---- */

typedef struct place {
    char parent[64];
    char directory[80];
    const pawl_storage_table *storage;
    const pawl_registry_table *registry;
    pawl_store *store;
} place;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards an operation's host_data */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void on_completed(pawl_registry_op *op)
{
    pthread_mutex_lock(&lock);
    op->host_data = op;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static int open_place(void **state)
{
    place *made = calloc(1, sizeof *made);
    struct stat facts;
    assert_non_null(made);
    snprintf(made->parent, sizeof made->parent, "/tmp/pawl-device-XXXXXX");
    assert_non_null(mkdtemp(made->parent));
    assert_int_equal(stat(made->parent, &facts), 0);
    snprintf(made->directory, sizeof made->directory, "%s/store", made->parent);
    script(0, 0, 0);
    hold(false);
    device.watched = facts.st_ino;
    device.watched_flushes = 0;
    (void)kill_host(on_completed);
    made->store = kill_open(made->directory, 1, &made->storage, &made->registry);
    assert_non_null(made->store);
    *state = made;
    return 0;
}

static int close_place(void **state)
{
    place *own = *state;
    char removal[128];
    script(0, 0, 0);
    hold(false);
    if (own->store != NULL)
        own->storage->close(own->store);
    snprintf(removal, sizeof removal, "rm -rf %s", own->parent);
    int failed = system(removal);
    free(own);
    return failed;
}

static void reopen(place *own)
{
    own->storage->close(own->store);
    own->store = kill_open(own->directory, 1, &own->storage, &own->registry);
    assert_non_null(own->store);
}

typedef struct registration {
    pawl_registry_op op;
    pawl_register request;
    pawl_failure_sink why;
} registration;

static void begin(place *own, registration *made, const char *id)
{
    static const uint8_t fingerprint[16] = {1};
    memset(made, 0, sizeof *made);
    made->request = (pawl_register){.struct_size = sizeof made->request,
                                    .id = {id, strlen(id)},
                                    .type = {"type", 4},
                                    .fingerprint = {fingerprint, 16}};
    made->op = (pawl_registry_op){
        .struct_size = sizeof made->op, .kind = PAWL_OP_REGISTER, .request = &made->request, .why = &made->why};
    pawl_registry_op *op = &made->op;
    own->registry->submit(own->store, &op, 1);
}

static bool is_done(registration *of)
{
    pthread_mutex_lock(&lock);
    bool done = of->op.host_data != NULL;
    pthread_mutex_unlock(&lock);
    return done;
}

static pawl_status wait_done(registration *of)
{
    pthread_mutex_lock(&lock);
    while (of->op.host_data == NULL)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return of->op.status;
}

static pawl_status register_one(place *own, const char *id)
{
    registration made;
    begin(own, &made, id);
    return wait_done(&made);
}

static pawl_status look(place *own, const char *id)
{
    return own->registry->get(own->store, (pawl_bytes){id, strlen(id)}, NULL, NULL, NULL);
}

/* ---- tests ---- */

/* Nothing is acknowledged, and nothing can be read, before the flush has returned. */
static void test_I1_acknowledged_means_flushed(void **state)
{
    place *own = *state;
    registration one;
    registration two;
    hold(true);
    begin(own, &one, "one");
    pthread_mutex_lock(&device.lock);
    while (device.waiting == 0)
        pthread_cond_wait(&device.changed, &device.lock);
    unsigned flushes = device.flushes;
    pthread_mutex_unlock(&device.lock);
    begin(own, &two, "two"); /* waits for the next round */
    assert_false(is_done(&one));
    assert_false(is_done(&two));
    hold(false);
    assert_int_equal(wait_done(&one), PAWL_OK);
    assert_int_equal(wait_done(&two), PAWL_OK);
    assert_true(device.flushes >= flushes + 2);
}

/* A flush that failed says nothing of what is on the device: it is not acknowledged, and neither is anything behind it
 * until the store has been opened anew. */
static void test_S_a_failed_flush_is_never_an_acknowledgement(void **state)
{
    place *own = *state;
    assert_int_equal(register_one(own, "before"), PAWL_OK);
    script(EIO, 0, 1);
    assert_int_equal(register_one(own, "during"), PAWL_E_IO);
    assert_int_equal(look(own, "during"), PAWL_E_NOT_FOUND);
    assert_int_equal(look(own, "before"), PAWL_OK);
    for (unsigned i = 0; i < 3; i++) /* the flushes succeed again, and prove nothing */
        assert_int_equal(register_one(own, "after"), PAWL_E_IO);
    reopen(own);
    assert_int_equal(look(own, "before"), PAWL_OK);
    assert_int_equal(register_one(own, "during"), PAWL_OK); /* there or not: the same start again is harmless */
    assert_int_equal(register_one(own, "anew"), PAWL_OK);
}

/* A full device: refused as such; when there is room again it goes on without being opened again. */
static void test_S_a_full_device_is_taken_up_again(void **state)
{
    place *own = *state;
    char id[32];
    const struct timespec pause = {0, 50000000};
    assert_int_equal(register_one(own, "before"), PAWL_OK);
    script(0, ENOSPC, 1);
    assert_int_equal(register_one(own, "during"), PAWL_E_FULL);
    pawl_status status = PAWL_E_FULL;
    for (unsigned i = 0; i < 1200 && status == PAWL_E_FULL; i++) {
        snprintf(id, sizeof id, "after%u", i);
        status = register_one(own, id);
        if (status == PAWL_E_FULL)
            nanosleep(&pause, NULL); /* nobody tells when there is room */
    }
    assert_int_equal(status, PAWL_OK);
    reopen(own);
    assert_int_equal(look(own, "before"), PAWL_OK);
    assert_int_equal(look(own, id), PAWL_OK);
}

/* The directory of a new store is itself on the device before anything in it is acknowledged. */
static void test_S_a_new_directory_is_flushed_into_its_parent(void **state)
{
    (void)state;
    assert_true(device.watched_flushes > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_I1_acknowledged_means_flushed),
        TEST(test_S_a_failed_flush_is_never_an_acknowledgement),
        TEST(test_S_a_full_device_is_taken_up_again),
        TEST(test_S_a_new_directory_is_flushed_into_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
