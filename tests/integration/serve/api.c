/* api.c: talking to the server through its socket, as any client would: libcurl and JSON, nothing of Pawl. */
#include "yard.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reply {
    char *text;
    size_t size;
} reply;

static size_t collect(char *data, size_t one, size_t count, void *context)
{
    reply *r = context;
    char *grown = realloc(r->text, r->size + one * count + 1);
    if (grown == NULL)
        return 0;
    memcpy(grown + r->size, data, one * count);
    r->text = grown;
    r->size += one * count;
    return one * count;
}

long api_call(const yard *y, const char *method, const char *path, json_t *body, json_t **ret_answer)
{
    char url[1200];
    reply r = {NULL, 0};
    long status = 0;
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    CURL *curl = curl_easy_init();
    assert_non_null(curl);
    snprintf(url, sizeof url, "http://pawl%s", path);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, y->socket);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)YARD_PATIENCE_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &r);
    if (text != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (ret_answer != NULL)
        *ret_answer = status == 0 || r.size == 0 ? NULL : json_loadb(r.text, r.size, 0, NULL);
    free(r.text);
    free(text);
    json_decref(body);
    return status;
}

long api_process(const yard *y, const char *method, const char *id, const char *tail, json_t *body, json_t **ret_answer)
{
    char path[600];
    snprintf(path, sizeof path, "/v1/processes/%s%s", id, tail);
    return api_call(y, method, path, body, ret_answer);
}

static void expect(long status, long wanted, const char *what, const char *id, json_t *answer)
{
    if (status != wanted) {
        char *text = json_dumps(answer, JSON_COMPACT);
        fail_msg("%s %s: HTTP status %ld, wanted %ld: %s", what, id, status, wanted, text == NULL ? "nothing" : text);
    }
}

void api_start(const yard *y, const char *type, const char *id, const char *plan)
{
    json_t *answer = NULL;
    json_t *body = json_pack("{s:s, s:s, s:s}", "type", type, "id", id, "input_text", plan);
    long status = api_call(y, "POST", "/v1/processes", body, &answer);
    expect(status, status == 200 ? 200 : 201, "start", id, answer);
    json_decref(answer);
}

bool api_signal(const yard *y, const char *id, const char *name, const char *payload, const char *signal_id)
{
    json_t *answer = NULL;
    json_t *body = json_pack("{s:s, s:s, s:s*}", "name", name, "payload_text", payload, "id", signal_id);
    expect(api_process(y, "POST", id, "/signals", body, &answer), 200, "signal", id, answer);
    bool replayed = json_is_true(json_object_get(answer, "replayed"));
    json_decref(answer);
    return replayed;
}

void api_await_status(const yard *y, const char *id, const char *status)
{
    char last[4096] = "";
    for (double until = seconds_now() + YARD_PATIENCE_S; seconds_now() < until; look_again_soon()) {
        json_t *row = NULL;
        api_process(y, "GET", id, "", NULL, &row);
        const char *found = json_string_value(json_object_get(row, "status"));
        bool same = found != NULL && strcmp(found, status) == 0;
        char *text = json_dumps(row, JSON_COMPACT);
        snprintf(last, sizeof last, "%s", text == NULL ? "nothing" : text);
        free(text);
        json_decref(row);
        if (same)
            return;
    }
    fail_msg("%s never became %s; last seen: %s", id, status, last);
}

json_t *api_outcome(const yard *y, const char *id)
{
    for (double until = seconds_now() + YARD_PATIENCE_S; seconds_now() < until;) {
        json_t *outcome = NULL;
        long status = api_process(y, "GET", id, "/wait?timeout_ms=20000", NULL, &outcome);
        if (status == 200)
            return outcome;
        expect(status, 204, "wait", id, outcome);
    }
    json_t *row = NULL;
    api_process(y, "GET", id, "", NULL, &row);
    char *text = json_dumps(row, JSON_COMPACT);
    fail_msg("%s has not ended: %s", id, text == NULL ? "nothing" : text);
    return NULL;
}

void api_expect_end(const yard *y, const char *id, const char *status)
{
    json_t *outcome = api_outcome(y, id);
    const char *found = json_string_value(json_object_get(outcome, "status"));
    if (found == NULL || strcmp(found, status) != 0) {
        char *text = json_dumps(outcome, JSON_COMPACT);
        fail_msg("%s ended otherwise than %s: %s", id, status, text == NULL ? "nothing" : text);
    }
    json_decref(outcome);
}

json_t *api_journal(const yard *y, const char *id)
{
    json_t *records = json_array();
    for (json_int_t from = 1; from != 0;) {
        char tail[80];
        json_t *page = NULL;
        snprintf(tail, sizeof tail, "/journal?whole=1&from=%" JSON_INTEGER_FORMAT, from);
        expect(api_process(y, "GET", id, tail, NULL, &page), 200, "journal", id, page);
        json_array_extend(records, json_object_get(page, "records"));
        from = json_integer_value(json_object_get(page, "next"));
        json_decref(page);
    }
    return records;
}

static bool member_is(const json_t *record, const char *key, const char *wanted)
{
    const char *found = json_string_value(json_object_get(record, key));
    return wanted == NULL || (found != NULL && strcmp(found, wanted) == 0);
}

size_t api_records(const json_t *journal, const char *kind, const char *name)
{
    size_t count = 0;
    size_t i;
    json_t *record;
    json_array_foreach(journal, i, record) count += member_is(record, "kind", kind) && member_is(record, "name", name);
    return count;
}

static json_int_t host_number(const yard *y, const char *part, const char *name)
{
    json_t *host = NULL;
    expect(api_call(y, "GET", "/v1/host", NULL, &host), 200, "look at", "the host", host);
    json_t *number = json_object_get(json_object_get(host, part), name);
    if (number == NULL)
        fail_msg("the host tells no %s.%s", part, name);
    json_int_t value = json_integer_value(number);
    json_decref(host);
    return value;
}

json_int_t api_count(const yard *y, const char *status)
{
    return host_number(y, "counts", status);
}

json_int_t api_worker_number(const yard *y, const char *name)
{
    return host_number(y, "worker", name);
}

void api_await_ended(const yard *y, json_int_t count)
{
    static const char *const ends[] = {"completed", "failed", "cancelled", "terminated"};
    json_int_t ended = 0;
    for (double until = seconds_now() + YARD_PATIENCE_S; seconds_now() < until; let_pass_ms(20)) {
        json_t *host = NULL;
        expect(api_call(y, "GET", "/v1/host", NULL, &host), 200, "look at", "the host", host);
        ended = 0;
        for (size_t i = 0; i < 4; i++)
            ended += json_integer_value(json_object_get(json_object_get(host, "counts"), ends[i]));
        json_decref(host);
        if (ended >= count)
            return;
    }
    json_t *page = NULL;
    api_call(y, "GET", "/v1/processes?status=live&limit=5", NULL, &page);
    char *text = json_dumps(page, JSON_COMPACT);
    fail_msg("%lld of %lld processes have ended; among the others: %s", (long long)ended, (long long)count, text);
}
