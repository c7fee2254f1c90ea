/* cases.h: every case of a check, each a function that uses the plugin and tells what it finds. cases.c lists them with
 * their names, rules and purposes. Each runs in a process of its own. */
#ifndef PAWL_HOST_CHECKER_CASES_H
#define PAWL_HOST_CHECKER_CASES_H

#include "lab.h"

/* cases_file.c */
void case_file_facts(checker_lab *lab);
void case_file_alone(checker_lab *lab);
void case_manifest_schemas(checker_lab *lab);
void case_manifest_said(checker_lab *lab);
void case_entry_contract(checker_lab *lab);
void case_entry_pure(checker_lab *lab);

/* cases_life.c */
void case_life_init(checker_lab *lab);
void case_life_tables(checker_lab *lab);
void case_life_exit(checker_lab *lab);
void case_life_again(checker_lab *lab);
void case_life_two_hosts(checker_lab *lab);
void case_life_factory(checker_lab *lab);
void case_life_bare_host(checker_lab *lab);
void case_life_newer_host(checker_lab *lab);
void case_life_bad_config(checker_lab *lab);
void case_instance_create(checker_lab *lab);
void case_instance_several(checker_lab *lab);
void case_instance_null(checker_lab *lab);
void case_instance_bad_config(checker_lab *lab);

/* cases_state.c */
void case_state_life(checker_lab *lab);
void case_state_calls(checker_lab *lab);
void case_state_printed(checker_lab *lab);
void case_left_life(checker_lab *lab);
void case_left_exec(checker_lab *lab);

/* cases_leak.c */
void case_leak_life(checker_lab *lab);
void case_leak_instance(checker_lab *lab);
void case_leak_calls(checker_lab *lab);
void case_leak_process(checker_lab *lab);

/* cases_call.c */
void case_call_sample(checker_lab *lab);
void case_call_output(checker_lab *lab);
void case_call_failure(checker_lab *lab);
void case_call_unknown(checker_lab *lab);
void case_call_borrowed(checker_lab *lab);
void case_call_late(checker_lab *lab);
void case_call_inline(checker_lab *lab);
void case_input_odd(checker_lab *lab);

/* cases_outcome.c */
void case_sink_refuses(checker_lab *lab);
void case_cancel_latency(checker_lab *lab);
void case_deadline_latency(checker_lab *lab);
void case_deadline_alone(checker_lab *lab);
void case_key_same(checker_lab *lab);
void case_reconcile_unknown(checker_lab *lab);
void case_reconcile_done(checker_lab *lab);
void case_threads_calls(checker_lab *lab);
void case_threads_moved(checker_lab *lab);

/* cases_process.c */
void case_process_activate(checker_lab *lab);
void case_process_unknown(checker_lab *lab);
void case_process_suspend(checker_lab *lab);
void case_process_repeat(checker_lab *lab);
void case_process_outside(checker_lab *lab);
void case_process_failures(checker_lab *lab);
void case_process_threads(checker_lab *lab);
void case_process_prompt(checker_lab *lab);

/** Do it again and again, and tell what grows with every round. False ends it: a round did not do what it should. */
void lab_repeat(checker_lab *lab, const char *where, bool (*round)(void *context), void *context);

/* cases_around.c */
void case_middleware_use(checker_lab *lab);
void case_middleware_threads(checker_lab *lab);
void case_observer_use(checker_lab *lab);
void case_observer_threads(checker_lab *lab);
void case_leak_middleware(checker_lab *lab);
void case_leak_observer(checker_lab *lab);

/* cases_storage.c */
void case_storage_tier(checker_lab *lab);
void case_storage_open(checker_lab *lab);
void case_storage_conformance(checker_lab *lab);

#endif
