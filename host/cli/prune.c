/* prune.c: `pawl prune`. Asks for a bounded piece at a time until there is nothing left to do; may be stopped at any
 * moment and begun again. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

static void add_up(json_t *all, const json_t *reply, const char *key)
{
    json_int_t sum = json_integer_value(json_object_get(all, key)) + json_integer_value(json_object_get(reply, key));
    (void)json_object_set_new(all, key, json_integer(sum));
}

/* One piece; *more: ask again, the body says from where. */
static int one_piece(pawl_cli *cli, json_t *body, json_t *all, bool *more)
{
    static const char *const sums[] = {"pruned", "attachments", "looked"};
    static const char *const cursor[] = {"after_unix_ns", "after_number"};
    pawl_client_reply reply;
    pawl_error error = {0};
    if (pawl_cli_try(cli, "POST", "/v1/prune", body, &reply, &error) != PAWL_OK)
        return pawl_cli_fail_error(cli, &error);
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        add_up(all, reply.json, sums[i]);
    for (size_t i = 0; i < sizeof cursor / sizeof *cursor; i++)
        (void)json_object_set(body, cursor[i], json_object_get(reply.json, cursor[i]));
    *more = json_is_true(json_object_get(reply.json, "more"));
    pawl_client_reply_finish(&reply);
    return PAWL_EXIT_OK;
}

int pawl_cli_prune(pawl_cli *cli)
{
    uint64_t span_ms = 0;
    bool more = true;
    int status = PAWL_EXIT_OK;
    bool dry_run = pawl_cli_flag(cli, "dry-run");
    if (!pawl_cli_flag(cli, "older-than"))
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "say which: --older-than 30d");
    if (!pawl_cli_span_ms(cli, "older-than", 0, &span_ms))
        return PAWL_EXIT_USAGE;
    json_t *all = json_object();
    json_t *body = json_pack("{s:I, s:b, s:i, s:s*}", "older_than_ms", (json_int_t)span_ms, "dry_run", (int)dry_run,
                             "limit", 5000, "type", pawl_cli_value(cli, "type"));
    if (body == NULL || all == NULL)
        status = pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "the type is not UTF-8");
    for (uint64_t pieces = 0; status == PAWL_EXIT_OK && more; pieces++) {
        status = one_piece(cli, body, all, &more);
        if (status == PAWL_EXIT_OK && more && !cli->json && pieces % 10 == 9)
            fprintf(cli->err, "%" JSON_INTEGER_FORMAT " so far, %" JSON_INTEGER_FORMAT " looked at\n",
                    json_integer_value(json_object_get(all, "pruned")),
                    json_integer_value(json_object_get(all, "looked")));
    }
    if (status == PAWL_EXIT_OK && cli->json)
        pawl_cli_put_json(cli->out, all);
    else if (status == PAWL_EXIT_OK)
        fprintf(cli->out, "%" JSON_INTEGER_FORMAT " ended processes %s\n",
                json_integer_value(json_object_get(all, "pruned")), dry_run ? "would be forgotten" : "forgotten");
    json_decref(body);
    json_decref(all);
    return status;
}
