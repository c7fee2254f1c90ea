/* event.c: `pawl event ...` and `pawl queue ...`: events of processes, and the queues of sessions that they fill. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/cli/cli.h"

#define POLL_MS 20000u /* one answer of the server takes no longer than this; then it is asked again */

static char *with_number(char *path, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return pawl_client_query(path, key, text);
}

/* ---- events ---- */

int pawl_cli_event_append(pawl_cli *cli)
{
    json_t *reply = NULL;
    json_t *body = json_pack("{s:s, s:s*}", "type", cli->arguments[1], "key", pawl_cli_value(cli, "key"));
    if (body == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "the type or the key is not UTF-8");
    if (cli->argument_count > 2 && !pawl_cli_put_content(cli, body, "payload", cli->arguments[2], true)) {
        json_decref(body);
        return PAWL_EXIT_USAGE;
    }
    int status = pawl_cli_ask_json(cli, "POST", pawl_client_process_path(cli->arguments[0], "/events"), body, &reply);
    json_decref(body);
    if (status == PAWL_EXIT_OK && !cli->json)
        fprintf(cli->out, "event %" JSON_INTEGER_FORMAT "%s%s\n",
                json_integer_value(json_object_get(reply, "sequence")),
                json_is_true(json_object_get(reply, "replayed")) ? ", was appended before" : "",
                json_is_true(json_object_get(reply, "queued")) ? ", queued" : "");
    json_decref(reply);
    return status;
}

static void print_event(pawl_cli *cli, const json_t *event)
{
    fprintf(cli->out, "%" JSON_INTEGER_FORMAT "  ", json_integer_value(json_object_get(event, "sequence")));
    pawl_cli_put(cli->out, pawl_cli_text(event, "type"));
    if (json_object_get(event, "key") != NULL) {
        fputs("  key ", cli->out);
        pawl_cli_put(cli->out, pawl_cli_text(event, "key"));
    }
    fputs("  ", cli->out);
    pawl_cli_put_value(cli->out, json_object_get(event, "payload"));
    fputc('\n', cli->out);
}

int pawl_cli_event_list(pawl_cli *cli)
{
    uint64_t after = 0;
    uint64_t limit = 0;
    if (!pawl_cli_number(cli, "after", 0, UINT64_MAX, 0, &after) ||
        !pawl_cli_number(cli, "limit", 1, 1000, 100, &limit))
        return PAWL_EXIT_USAGE;
    json_t *reply = NULL;
    char *path = with_number(pawl_client_process_path(cli->arguments[0], "/events"), "after", after);
    path = pawl_client_query(with_number(path, "limit", limit), "type", pawl_cli_value(cli, "type"));
    int status = pawl_cli_ask_json(cli, "GET", path, NULL, &reply);
    size_t i;
    const json_t *event;
    if (status == PAWL_EXIT_OK && !cli->json)
        json_array_foreach(json_object_get(reply, "events"), i, event) print_event(cli, event);
    json_decref(reply);
    return status;
}

static uint64_t mono_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* One answer: *ret is NULL when there was no event in the time. */
static int ask_next(pawl_cli *cli, uint64_t after, uint64_t timeout_ms, json_t **ret)
{
    pawl_client_reply reply;
    char *path = with_number(pawl_client_process_path(cli->arguments[0], "/events/next"), "after", after);
    path = pawl_client_query(with_number(path, "timeout_ms", timeout_ms), "type", pawl_cli_value(cli, "type"));
    int status = pawl_cli_ask(cli, "GET", path, NULL, &reply);
    if (status != PAWL_EXIT_OK)
        return status;
    *ret = json_incref(reply.json);
    pawl_client_reply_finish(&reply);
    return PAWL_EXIT_OK;
}

int pawl_cli_event_wait(pawl_cli *cli)
{
    uint64_t after = 0;
    uint64_t timeout_ms = 0;
    if (!pawl_cli_number(cli, "after", 0, UINT64_MAX, 0, &after) || !pawl_cli_span_ms(cli, "timeout", 0, &timeout_ms))
        return PAWL_EXIT_USAGE;
    uint64_t until = pawl_cli_flag(cli, "timeout") ? mono_now_ms() + timeout_ms : UINT64_MAX;
    for (;;) {
        json_t *event = NULL;
        uint64_t now = mono_now_ms();
        uint64_t left = now >= until ? 0 : until - now;
        int status = ask_next(cli, after, left < POLL_MS ? left : POLL_MS, &event);
        if (status != PAWL_EXIT_OK)
            return status;
        if (event != NULL) {
            if (cli->json)
                pawl_cli_put_json(cli->out, event);
            else
                print_event(cli, event);
            json_decref(event);
            return PAWL_EXIT_OK;
        }
        if (left <= POLL_MS && until != UINT64_MAX)
            return pawl_cli_fail(cli, PAWL_EXIT_TIMEOUT, "wait_timeout", "there was no such event in time");
    }
}

/* ---- queues ---- */

static char *queue_path(const pawl_cli *cli, const char *what)
{
    char suffix[32];
    snprintf(suffix, sizeof suffix, "/queue%s", what);
    return pawl_client_path("sessions", cli->arguments[0], suffix);
}

static void print_item(pawl_cli *cli, const json_t *item)
{
    fprintf(cli->out, "%" JSON_INTEGER_FORMAT "  ", json_integer_value(json_object_get(item, "item")));
    pawl_cli_put(cli->out, pawl_cli_text(item, "state"));
    fputs("  ", cli->out);
    pawl_cli_put(cli->out, pawl_cli_text(item, "process"));
    fputs("  ", cli->out);
    pawl_cli_put(cli->out, pawl_cli_text(item, "type"));
    fprintf(cli->out, "  claims %" JSON_INTEGER_FORMAT "  ", json_integer_value(json_object_get(item, "claims")));
    pawl_cli_put_value(cli->out, json_object_get(item, "input"));
    fputc('\n', cli->out);
}

static void print_items(pawl_cli *cli, const json_t *reply)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(reply, "items"), i, item) print_item(cli, item);
}

int pawl_cli_queue_list(pawl_cli *cli)
{
    uint64_t after = 0;
    uint64_t limit = 0;
    if (!pawl_cli_number(cli, "after", 0, UINT64_MAX, 0, &after) ||
        !pawl_cli_number(cli, "limit", 1, 1000, 100, &limit))
        return PAWL_EXIT_USAGE;
    json_t *reply = NULL;
    char *path = with_number(with_number(queue_path(cli, ""), "after", after), "limit", limit);
    path = pawl_client_query(path, "dead", pawl_cli_flag(cli, "dead") ? "1" : NULL);
    int status = pawl_cli_ask_json(cli, "GET", path, NULL, &reply);
    if (status == PAWL_EXIT_OK && !cli->json)
        print_items(cli, reply);
    json_decref(reply);
    return status;
}

int pawl_cli_queue_claim(pawl_cli *cli)
{
    uint64_t limit = 0;
    uint64_t lease_ms = 0;
    uint64_t wait_ms = 0;
    const char *consumer = pawl_cli_value(cli, "consumer");
    if (!pawl_cli_number(cli, "limit", 1, 1000, 1, &limit) || !pawl_cli_span_ms(cli, "lease", 30000, &lease_ms) ||
        !pawl_cli_span_ms(cli, "wait", 0, &wait_ms))
        return PAWL_EXIT_USAGE;
    json_t *body =
        json_pack("{s:s, s:I, s:I, s:I}", "consumer", consumer == NULL ? "pawl queue claim" : consumer, "limit",
                  (json_int_t)limit, "lease_ms", (json_int_t)lease_ms, "wait_ms", (json_int_t)wait_ms);
    if (body == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "the name of the consumer is not UTF-8");
    json_t *reply = NULL;
    int status = pawl_cli_ask_json(cli, "POST", queue_path(cli, "/claim"), body, &reply);
    json_decref(body);
    bool none = json_array_size(json_object_get(reply, "items")) == 0;
    if (status == PAWL_EXIT_OK && !cli->json && !none) {
        fprintf(cli->out, "token %" JSON_INTEGER_FORMAT "\n", json_integer_value(json_object_get(reply, "token")));
        print_items(cli, reply);
    }
    json_decref(reply);
    if (status == PAWL_EXIT_OK && none)
        return pawl_cli_fail(cli, PAWL_EXIT_TIMEOUT, "queue.empty", "there is nothing to claim now");
    return status;
}

/* The items among the arguments from `from` on; NULL: the mistake was printed. */
static json_t *items_of(pawl_cli *cli, int from)
{
    json_t *items = json_array();
    for (int i = from; i < cli->argument_count; i++) {
        char *end = NULL;
        unsigned long long item = strtoull(cli->arguments[i], &end, 10);
        if (*end != '\0' || item == 0) {
            pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "\"%s\" is no number of an item", cli->arguments[i]);
            json_decref(items);
            return NULL;
        }
        json_array_append_new(items, json_integer((json_int_t)item));
    }
    return items;
}

static int tell(pawl_cli *cli, const char *what, json_t *body, const char *key, const char *done)
{
    json_t *reply = NULL;
    if (body == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.no_memory", "out of memory");
    int status = pawl_cli_ask_json(cli, "POST", queue_path(cli, what), body, &reply);
    json_decref(body);
    if (status == PAWL_EXIT_OK && !cli->json)
        fprintf(cli->out, "%" JSON_INTEGER_FORMAT " %s\n", json_integer_value(json_object_get(reply, key)), done);
    json_decref(reply);
    return status;
}

static int settle(pawl_cli *cli, const char *action, const char *done)
{
    uint64_t delay_ms = 0;
    char *end = NULL;
    unsigned long long token = strtoull(cli->arguments[1], &end, 10);
    if (*end != '\0' || token == 0)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "\"%s\" is no token", cli->arguments[1]);
    if (strcmp(action, "ack") != 0 && !pawl_cli_span_ms(cli, "for", 0, &delay_ms))
        return PAWL_EXIT_USAGE;
    json_t *items = items_of(cli, 2);
    if (items == NULL)
        return PAWL_EXIT_USAGE;
    return tell(cli, "/settle",
                json_pack("{s:s, s:I, s:o, s:I}", "action", action, "token", (json_int_t)token, "items", items,
                          "delay_ms", (json_int_t)delay_ms),
                "settled", done);
}

int pawl_cli_queue_ack(pawl_cli *cli)
{
    return settle(cli, "ack", "acknowledged");
}

int pawl_cli_queue_release(pawl_cli *cli)
{
    return settle(cli, "release", "given back");
}

int pawl_cli_queue_extend(pawl_cli *cli)
{
    return settle(cli, "extend", "held on to");
}

static int tend(pawl_cli *cli, const char *what, const char *done)
{
    if ((cli->argument_count == 1) != pawl_cli_flag(cli, "all"))
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage",
                             "give the numbers of items, or --all for all that are dead");
    json_t *items = items_of(cli, 1);
    return items == NULL ? PAWL_EXIT_USAGE : tell(cli, what, json_pack("{s:o}", "items", items), "done", done);
}

int pawl_cli_queue_redrive(pawl_cli *cli)
{
    return tend(cli, "/redrive", "redriven");
}

int pawl_cli_queue_drop(pawl_cli *cli)
{
    return tend(cli, "/drop", "dropped");
}
