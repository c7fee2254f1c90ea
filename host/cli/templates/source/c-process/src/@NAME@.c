/* @NAME@.c: the process type @NAME@.approval, which waits for a week for somebody's word on a request. */
#include <pawl_plugin.h>
#include <pawl_process.h>

#include "pawl_manifest.h" /* made of manifest.json */

/* Run from the top again and again: between two runs nothing of it lives but the journal. */
static pawl_status approval(pawl_process *p)
{
    pawl_bytes word;
    int first;
    PAWL_TRY(pawl_set_status(p, pawl_text("{\"step\":\"waiting for a word\"}")));
    pawl_future yes = pawl_wait_signal(p, "approve");
    pawl_future no = pawl_wait_signal(p, "refuse");
    pawl_future late = pawl_start_timer(p, 7 * PAWL_DAY);
    PAWL_TRY(pawl_await_any(p, &first, 3, yes, no, late));
    if (first == 1)
        return pawl_fail(p, "@NAME@.refused", "somebody said no");
    if (first == 2)
        return pawl_fail(p, "@NAME@.late", "nobody said anything for a week");
    PAWL_TRY(pawl_result(p, yes, &word));
    pawl_bytes request = pawl_input(p);
    return pawl_complete(p, pawl_printf(p, "{\"request\":%.*s,\"approved\":%.*s}", (int)request.size,
                                        (const char *)request.data, (int)word.size, (const char *)word.data));
}

/* A program that does other commands, or the same ones in another order, is a new revision: add a line, and keep the old
 * one while processes that began with it are unfinished. */
PAWL_PROCESSES(PAWL_TYPE("@NAME@.approval", 1, approval))
PAWL_PLUGIN(PAWL_MANIFEST_ID, PAWL_MANIFEST_VERSION, "@VENDOR@", PAWL_MANIFEST, pawl_plain_init, pawl_plain_deinit,
            pawl_process_factory);
