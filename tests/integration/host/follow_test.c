/* follow_test.c: following the ends of all processes: however a process ends, it is told once, with what it was. */
#include "fixture.h"

#include <sched.h>
#include <stdio.h>

typedef struct told {
    pthread_mutex_t lock; /* guards text */
    char text[4096];
} told;

static void on_end(void *context, const pawl_end *end)
{
    told *t = context;
    pthread_mutex_lock(&t->lock);
    size_t used = strlen(t->text);
    snprintf(t->text + used, sizeof t->text - used, "[%s %s %s %u %.*s%.*s]", end->id, end->type, end->session,
             end->outcome.status - PAWL_COMPLETED, (int)end->outcome.output.size,
             (const char *)end->outcome.output.data, (int)end->outcome.code.size, (const char *)end->outcome.code.data);
    pthread_mutex_unlock(&t->lock);
}

/* The end may be known to who waits for the process a moment before it is told. */
static void until_told(told *t, const char *text)
{
    for (bool found = false; !found; sched_yield()) {
        pthread_mutex_lock(&t->lock);
        found = strstr(t->text, text) != NULL;
        pthread_mutex_unlock(&t->lock);
    }
}

static void start_external(fixture *own, const char *id, const char *session)
{
    pawl_start external = {
        .struct_size = sizeof external, .flags = PAWL_START_EXTERNAL, .id = id, .type = "import", .session = session};
    assert_ok(pawl_host_start(own->host, &external, NULL, &why_));
}

static void test_every_kind_of_end_is_told_once(void **state)
{
    fixture *own = *state;
    told t = {.text = ""};
    pthread_mutex_init(&t.lock, NULL);
    pawl_follow *follow = NULL;
    start(own, "before", "test.echo", "1");
    expect_end(own, "before", "completed", NULL);
    assert_ok(pawl_host_follow(own->host, on_end, &t, &follow, &why_));
    start(own, "done", "test.echo", "7");
    expect_end(own, "done", "completed", NULL);
    until_told(&t, "[done test.echo  0 7]");
    start_external(own, "outside", "s");
    pawl_outcome outcome = {.struct_size = sizeof outcome, .status = PAWL_COMPLETED, .output = {"[1]", 3}};
    assert_ok(pawl_host_complete(own->host, "outside", &outcome, &why_));
    assert_ok(pawl_host_complete(own->host, "outside", &outcome, &why_)); /* replayed: not told again */
    start_external(own, "ended", NULL);
    assert_ok(pawl_host_terminate(own->host, "ended", "enough", &why_));
    follow = pawl_host_unfollow(follow);
    start(own, "after", "test.echo", "1");
    expect_end(own, "after", "completed", NULL);
    assert_null(strstr(t.text, "after"));
    assert_has(t.text, "[done test.echo  0 ");
    assert_has(t.text, "[outside import s 0 [1]]");
    assert_has(t.text, "[ended import  3 terminated]");
    assert_null(strstr(strstr(t.text, "outside") + 1, "outside"));
    pthread_mutex_destroy(&t.lock);
}

/* The store ends a child whose parent has ended: nobody has asked for that end, and it is told like any other. */
static void test_an_end_that_the_store_makes_is_told(void **state)
{
    fixture *own = *state;
    told t = {.text = ""};
    pthread_mutex_init(&t.lock, NULL);
    pawl_follow *follow = NULL;
    assert_ok(pawl_host_follow(own->host, on_end, &t, &follow, &why_));
    pawl_start parent = {
        .struct_size = sizeof parent, .id = "p", .type = "test.parent", .input = {"1", 1}, .session = "s"};
    assert_ok(pawl_host_start(own->host, &parent, NULL, &why_));
    until_told(&t, "[p test.parent s 0 1]");
    until_told(&t, "[p-child test.gate s 3 parent_closed]");
    expect_end(own, "p-child", "terminated", NULL);
    follow = pawl_host_unfollow(follow);
    assert_null(strstr(strstr(t.text, "[p-child") + 1, "[p-child")); /* once */
    pthread_mutex_destroy(&t.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_every_kind_of_end_is_told_once),
        OVER_BOTH(test_an_end_that_the_store_makes_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
