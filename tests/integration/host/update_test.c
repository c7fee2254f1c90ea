/* update_test.c: asking a process through the host: answered once, refused, asked again, in vain, without waiting. */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>

static pawl_status ask(fixture *own, const char *payload, const char *id, uint64_t timeout_ms, char *answer,
                       pawl_error *error)
{
    pawl_text text = {0};
    pawl_status status = pawl_host_update(own->host, "p", "ask", (pawl_bytes){payload, strlen(payload)}, id,
                                          timeout_ms * 1000000u, &text, error);
    snprintf(answer, 256, "%s", text.data == NULL ? "" : text.data);
    pawl_text_free(&text);
    return status;
}

static void test_E02_E03_an_update_is_answered_once(void **state)
{
    fixture *own = *state;
    char answer[256];
    pawl_error error = {0};
    start(own, "p", "test.answer", "1");
    assert_ok(ask(own, "{\"a\":1}", "u1", 0, answer, &why_));
    assert_string_equal(answer, "{\"status\":\"replied\",\"reply\":{\"a\":1}}");
    assert_ok(ask(own, "{ \"a\": 1.0 }", "u1", 0, answer, &why_)); /* the same by meaning: the answer of before */
    assert_string_equal(answer, "{\"status\":\"replied\",\"reply\":{\"a\":1}}");
    assert_int_equal(ask(own, "{\"a\":2}", "u1", 0, answer, &error), PAWL_E_CONFLICT);
    assert_ok(ask(own, "null", NULL, 0, answer, &why_));
    assert_has(answer, "{\"status\":\"rejected\",\"code\":\"test.null\",\"message\":\"nothing was asked\"");
    assert_int_equal(ask(own, "\"silence\"", "u2", 1, answer, &error), PAWL_E_DEADLINE);
    assert_string_equal(error.code, "update.timeout");
    signal_it(own, "p", "go", "1");
    assert_ok(ask(own, "\"silence\"", "u2", 0, answer, &why_)); /* the request had stayed */
    assert_has(answer, "\"reply\":\"silence\"");
    assert_int_equal(ask(own, "\"end\"", "u3", 0, answer, &error), PAWL_E_TERMINAL);
    assert_string_equal(error.code, "update.process_ended");
    assert_ok(ask(own, "{\"a\":1}", "u1", 0, answer, &why_)); /* known after the end, too */
    assert_int_equal(ask(own, "4", "u4", 0, answer, &error), PAWL_E_TERMINAL);
    assert_int_equal(pawl_host_update(own->host, "nobody", "ask", (pawl_bytes){"1", 1}, NULL, 0, NULL, &error),
                     PAWL_E_NOT_FOUND);
}

typedef struct heard {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    uint32_t count;
    pawl_status status;
    char text[128];
} heard;

static void on_answer(void *context, pawl_status status, const pawl_outcome *outcome, const pawl_error *error)
{
    heard *h = context;
    pthread_mutex_lock(&h->lock);
    h->count++;
    h->status = status;
    if (status == PAWL_OK)
        snprintf(h->text, sizeof h->text, "%u %.*s%.*s", outcome->status - PAWL_COMPLETED, (int)outcome->output.size,
                 (const char *)outcome->output.data, (int)outcome->code.size, (const char *)outcome->code.data);
    else
        snprintf(h->text, sizeof h->text, "%s", error->code);
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void expect_heard(heard *h, uint32_t count, pawl_status status, const char *text)
{
    pthread_mutex_lock(&h->lock);
    while (h->count < count)
        pthread_cond_wait(&h->changed, &h->lock);
    assert_int_equal(h->count, count);
    assert_int_equal(h->status, status);
    assert_string_equal(h->text, text);
    pthread_mutex_unlock(&h->lock);
}

static pawl_status ask_async(fixture *own, const char *payload, heard *h, pawl_wait **wait)
{
    return pawl_host_update_async(own->host, "p", "ask", (pawl_bytes){payload, strlen(payload)}, NULL, on_answer, h,
                                  wait, NULL);
}

static void test_an_answer_comes_to_who_does_not_wait(void **state)
{
    fixture *own = *state;
    heard h = {.count = 0};
    pawl_wait *wait = NULL;
    pthread_mutex_init(&h.lock, NULL);
    pthread_cond_init(&h.changed, NULL);
    start(own, "p", "test.answer", "1");
    assert_int_equal(ask_async(own, "[7]", &h, NULL), PAWL_PENDING);
    expect_heard(&h, 1, PAWL_OK, "0 [7]");
    assert_int_equal(ask_async(own, "null", &h, NULL), PAWL_PENDING);
    expect_heard(&h, 2, PAWL_OK, "1 test.null");
    assert_int_equal(ask_async(own, "\"silence\"", &h, &wait), PAWL_PENDING);
    pawl_wait_cancel(wait);
    pthread_mutex_lock(&h.lock);
    while (h.count < 3)
        pthread_cond_wait(&h.changed, &h.lock);
    assert_int_equal(h.status, PAWL_E_CANCELLED);
    pthread_mutex_unlock(&h.lock);
    signal_it(own, "p", "go", "1");
    assert_int_equal(ask_async(own, "\"end\"", &h, NULL), PAWL_PENDING);
    expect_heard(&h, 4, PAWL_E_TERMINAL, "update.process_ended");
    pthread_cond_destroy(&h.changed);
    pthread_mutex_destroy(&h.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_E02_E03_an_update_is_answered_once),
        OVER_BOTH(test_an_answer_comes_to_who_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
