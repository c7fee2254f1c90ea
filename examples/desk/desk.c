/* desk.c: a desk for letters. Whatever arrives in a "desk.box" goes into the queue of the box's session; the session's
 * "desk.clerk" takes one letter after the other, counts the pages, and keeps the count in the session. A letter with 0
 * pages closes the desk. */
#include <pawl_plugin.h>
#include <pawl_queue.h>

#include <stdlib.h>

static long long number(pawl_process *p, pawl_bytes text)
{
    char *digits = pawl_cstring(p, text);
    return digits == NULL ? 0 : strtoll(digits, NULL, 10);
}

/* The letter is gone in the moment in which its pages are counted: both, or neither. */
static pawl_status count_pages(pawl_process *p, const pawl_received *letter, long long pages)
{
    for (;;) {
        pawl_bytes before = pawl_text("0");
        uint64_t revision = 0;
        pawl_status status = pawl_session_get(p, "pages", &before, &revision);
        if (status != PAWL_E_NOT_FOUND)
            PAWL_TRY(status);
        pawl_session_change after = pawl_change_put("pages", pawl_printf(p, "%lld", number(p, before) + pages));
        status = pawl_queue_acknowledge_and_commit(p, letter, revision, &after, 1, NULL);
        if (status != PAWL_E_STALE) /* else somebody has changed the session meanwhile */
            return status;
    }
}

static pawl_status clerk(pawl_process *p)
{
    long long letters = number(p, pawl_input(p));
    for (;;) {
        pawl_received received;
        pawl_received_item letter;
        PAWL_TRY(pawl_queue_receive(p, NULL, &received)); /* waits for as long as it takes, and costs nothing */
        if (pawl_queue_next(&received, &letter) == 0)
            continue;
        long long pages = number(p, letter.body);
        if (pages == 0) {
            PAWL_TRY(pawl_queue_acknowledge(p, &received));
            return pawl_complete(p, pawl_printf(p, "{\"letters\":%lld}", letters));
        }
        PAWL_TRY(count_pages(p, &received, pages));
        letters++;
        if (pawl_should_continue(p))
            return pawl_continue_as_new(p, pawl_printf(p, "%lld", letters));
    }
}

static pawl_status box(pawl_process *p)
{
    PAWL_TRY(pawl_signal(p, "empty", NULL));
    return pawl_complete(p, pawl_text("null"));
}

PAWL_PROCESSES(PAWL_TYPE("desk.clerk", 1, clerk), PAWL_TYPE("desk.box", 1, box))
PAWL_PLUGIN("com.example.desk", "1.0.0", "Example",
            "{\"manifest_version\":1,\"id\":\"com.example.desk\",\"version\":\"1.0.0\","
            "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"process\"],"
            "\"processes\":[{\"name\":\"desk.clerk\",\"revision\":1},"
            "{\"name\":\"desk.box\",\"revision\":1,\"events\":[{\"type\":\"arrived\","
            "\"schema\":{\"type\":\"object\",\"required\":[\"pages\"],"
            "\"properties\":{\"pages\":{\"type\":\"integer\",\"minimum\":0}}},"
            "\"wake\":{\"input\":{\"pointer\":\"/pages\"}}}]}]}",
            pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
