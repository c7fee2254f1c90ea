/* header_use.c: every function of pawl_process.h, used. Never run: header_matrix.sh compiles it as every dialect. */
#include <pawl_process.h>
#include <pawl_process.h> /* twice on purpose */

static pawl_status with_everything(pawl_process *p)
{
    pawl_call_options options = pawl_options(3, 5 * PAWL_MINUTE);
    pawl_bytes value = {"", 0}, document = pawl_printf(p, "{\"run\":%u}", (unsigned)pawl_run_number(p));
    pawl_failure failure;
    unsigned char random[8];
    char uuid[37];
    int index = -1;
    pawl_future call = pawl_start_call_with(p, "a.b", pawl_id(p), &options);
    pawl_future more[2] = {pawl_start_call(p, "a.c", pawl_session_of(p)), pawl_start_timer(p, PAWL_HOUR + PAWL_DAY)};
    pawl_future wait = pawl_wait_signal(p, "s");
    PAWL_TRY(pawl_await(p, call));
    pawl_future update = pawl_wait_update(p, "u");
    PAWL_TRY(pawl_update(p, "u", &update, &value));
    PAWL_TRY(pawl_reply(p, update, value));
    PAWL_TRY(pawl_reject(p, update, "a.no", "no"));
    PAWL_TRY(pawl_on_rollback(p, "a.undo", pawl_text("{}")));
    PAWL_TRY(pawl_on_rollback_of(p, call, "a.undo", value));
    PAWL_TRY(pawl_on_rollback_with(p, call, "a.undo", value, &options));
    PAWL_TRY(pawl_await_any(p, &index, 3, call, more[0], wait));
    PAWL_TRY(pawl_await_any(p, NULL, 1, call));
    PAWL_TRY(pawl_await_all(p, 2, more[0], more[1]));
    PAWL_TRY(pawl_await_any_of(p, &index, more, 2));
    PAWL_TRY(pawl_await_all_of(p, more, 2));
    PAWL_TRY(pawl_call_with(p, "a.d", pawl_text("{}"), &options, &value));
    PAWL_TRY(pawl_call(p, "a.e", value, NULL));
    PAWL_TRY(pawl_sleep(p, 250 * PAWL_MILLISECOND));
    PAWL_TRY(pawl_sleep_until(p, pawl_now(p) + PAWL_DAY));
    PAWL_TRY(pawl_await(p, pawl_start_timer_until(p, pawl_now(p) + PAWL_DAY)));
    PAWL_TRY(pawl_signal(p, "s", &value));
    PAWL_TRY(pawl_signal_within(p, "s", 30 * PAWL_SECOND, &value));
    pawl_child_options of_child = pawl_child_defaults();
    of_child.parent_close = PAWL_PARENT_CLOSE_TERMINATE;
    of_child.deadline_ns = PAWL_HOUR;
    more[0] = pawl_start_child_with(p, "a.child", value, &of_child);
    more[1] = pawl_start_detached(p, "a.child", value);
    PAWL_TRY(pawl_child_id(p, more[1], &value));
    PAWL_TRY(pawl_await(p, pawl_start_child(p, "a.child", value)));
    PAWL_TRY(pawl_child(p, "a.child", value, NULL));
    PAWL_TRY(pawl_set_status(p, document));
    pawl_random(p, random, sizeof random);
    pawl_uuid(p, uuid);
    if (pawl_version(p, "a-change", 0, 1) == 0)
        return PAWL_E_FAILED;
    if (!pawl_replaying(p))
        pawl_log(p, PAWL_LOG_INFO, "at %llu: %s", (unsigned long long)pawl_now(p), uuid);
    pawl_log_fields(p, PAWL_LOG_WARN, "done", document);
    if (pawl_result_failure(p, call, &failure) == PAWL_OK)
        return pawl_fail_as(p, &failure);
    if (pawl_cstring(p, pawl_cancel_reason(p)) == NULL)
        return pawl_failf(p, "a.memory", "%d", index);
    return pawl_complete(p, pawl_bytes_of(pawl_alloc(p, 4), 4));
}

static pawl_status without(pawl_process *p)
{
    return pawl_fail(p, "a.never", "never");
}

PAWL_PROCESSES(PAWL_TYPE("a.with", 1, with_everything), PAWL_TYPE("a.without", 1, without))
PAWL_PLUGIN("a", "1.0.0", "A", "{}", pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
