/* cases.c: the list of all cases, in the order in which they are told. A name is stable: build servers and waivers know
 * it. docs/plugin-authors/checking.md has the same list; a house test compares them. */
#include "cases.h"

#include "host/loader/manifest.h"

#include <string.h>

#define EFFECT     PAWL_KIND_EFFECT
#define CONNECTOR  PAWL_KIND_CONNECTOR
#define CALLED     (PAWL_KIND_EFFECT | PAWL_KIND_CONNECTOR)
#define PROCESS    PAWL_KIND_PROCESS
#define STORAGE    PAWL_KIND_STORAGE
#define MIDDLEWARE PAWL_KIND_MIDDLEWARE
#define OBSERVER   PAWL_KIND_OBSERVER
/* what stands when calls can be made */
#define READY (STAGE_FILE | STAGE_ENTRY | STAGE_INIT | STAGE_TABLES)
#define CALLS (READY | STAGE_INSTANCE | STAGE_CALL)

const checker_case checker_cases[] = {
    {"file.facts", "A-32..A-43", LEVEL_MUST, 0, 0, STAGE_FILE, "the file is a plugin that a host takes",
     case_file_facts},
    {"file.alone", "A-30", LEVEL_SHOULD, 0, STAGE_FILE, 0, "it needs nothing beside itself: a host loads a copy",
     case_file_alone},
    {"manifest.schemas", "B-1", LEVEL_MUST, 0, STAGE_FILE, 0, "the schemas of its manifest can be used",
     case_manifest_schemas},
    {"manifest.said", "B-1", LEVEL_PEDANTIC, 0, STAGE_FILE, 0, "the manifest says what operations take, give and last",
     case_manifest_said},
    {"entry.contract", "A-51..A-53", LEVEL_MUST, 0, STAGE_FILE, STAGE_ENTRY,
     "it loads, and its entry gives the root that the manifest promises", case_entry_contract},
    {"entry.pure", "B-2", LEVEL_MUST, 0, STAGE_FILE | STAGE_ENTRY, 0, "loading it and calling the entry change nothing",
     case_entry_pure},
    {"life.init", "A-54", LEVEL_MUST, 0, STAGE_FILE | STAGE_ENTRY, STAGE_INIT, "init works, and deinit ends it",
     case_life_init},
    {"life.tables", "A-55..A-59", LEVEL_MUST, 0, STAGE_FILE | STAGE_ENTRY | STAGE_INIT, STAGE_TABLES,
     "there is a whole table for everything the manifest declares", case_life_tables},
    {"life.exit", "A-47", LEVEL_MUST, 0, READY, 0, "the program ends well with it loaded", case_life_exit},
    {"life.again", "A-14", LEVEL_MUST, 0, READY, 0, "init works again after deinit", case_life_again},
    {"life.factory", "B-3", LEVEL_MUST, 0, STAGE_FILE | STAGE_ENTRY | STAGE_INIT, 0,
     "get_factory gives one static table per id, on any thread, and NULL for the rest", case_life_factory},
    {"life.newer_host", "B-4", LEVEL_MUST, 0, READY, 0, "it works in a host of a later minor", case_life_newer_host},
    {"life.two_hosts", "A-14", LEVEL_SHOULD, 0, READY, 0, "two hosts in one program can have it", case_life_two_hosts},
    {"life.bare_host", "B-4", LEVEL_SHOULD, 0, READY, 0, "a host without extensions is refused with words, or served",
     case_life_bare_host},
    {"life.bad_config", "B-5", LEVEL_SHOULD, 0, READY, 0, "init survives every config and says what it does not take",
     case_life_bad_config},
    {"instance.create", "B-6", LEVEL_MUST, CONNECTOR, READY, STAGE_INSTANCE, "an instance can be made",
     case_instance_create},
    {"instance.null", "B-6", LEVEL_MUST, CONNECTOR, READY, 0, "destroy takes NULL", case_instance_null},
    {"instance.several", "B-6", LEVEL_MUST, CONNECTOR, READY | STAGE_INSTANCE, 0, "several instances live side by side",
     case_instance_several},
    {"instance.bad_config", "B-5", LEVEL_SHOULD, CONNECTOR, READY, 0,
     "create survives every config and refuses what its schema excludes", case_instance_bad_config},
    {"call.sample", "B-10", LEVEL_MUST, CALLED, READY | STAGE_INSTANCE, STAGE_CALL,
     "calls return a status that the ABI has, and a failure when they fail", case_call_sample},
    {"call.output", "B-11", LEVEL_MUST, CALLED, CALLS, 0, "results are what the manifest says", case_call_output},
    {"input.odd", "B-12", LEVEL_MUST, CALLED, CALLS, STAGE_ODD, "every input is survived", case_input_odd},
    {"call.failure", "B-10", LEVEL_MUST, CALLED, CALLS | STAGE_ODD, 0,
     "failures have a class, a code and a message of the right form", case_call_failure},
    {"call.borrowed", "A-9", LEVEL_MUST, CALLED, CALLS, 0,
     "what is lent to a call is neither read past its end, nor changed, nor kept", case_call_borrowed},
    {"call.late", "A-9, A-10, B-13", LEVEL_MUST, CALLED, CALLS, 0,
     "the host's objects are used as long as a call lasts, completions once", case_call_late},
    {"call.inline", "A-17", LEVEL_MUST, CALLED, CALLS, 0, "what runs inline is short", case_call_inline},
    {"call.unknown", "B-10", LEVEL_PEDANTIC, CALLED, CALLS, 0, "an operation that the manifest lacks is refused",
     case_call_unknown},
    {"sink.refuses", "B-14", LEVEL_SHOULD, CALLED, CALLS, 0, "a result that the host does not take fails the call",
     case_sink_refuses},
    {"cancel.latency", "B-15", LEVEL_SHOULD, CALLED, CALLS, 0, "a call that is cancelled returns soon",
     case_cancel_latency},
    {"deadline.latency", "B-15", LEVEL_SHOULD, CALLED, CALLS, 0, "a call whose deadline passes returns soon",
     case_deadline_latency},
    {"deadline.alone", "B-15", LEVEL_PEDANTIC, CALLED, CALLS, 0,
     "a deadline is seen without the cancel that comes with it", case_deadline_alone},
    {"key.same", "B-16", LEVEL_MUST, CALLED, CALLS, 0,
     "another attempt with the same key does what the declared outcome says", case_key_same},
    {"reconcile.unknown", "B-17", LEVEL_MUST, CALLED, CALLS, 0, "reconcile does not know what never happened",
     case_reconcile_unknown},
    {"reconcile.done", "B-17", LEVEL_MUST, CALLED, CALLS, 0, "reconcile knows what happened", case_reconcile_done},
    {"threads.moved", "A-17", LEVEL_MUST, CALLED, CALLS, STAGE_MOVED,
     "calls may come from any thread, with a stack of 1 MiB", case_threads_moved},
    {"threads.calls", "A-17", LEVEL_MUST, CALLED, CALLS | STAGE_MOVED, 0,
     "calls from many threads at once give what they give alone", case_threads_calls},
    {"state.calls", "A-18", LEVEL_MUST, CALLED, CALLS, 0, "calls leave alone what belongs to the program",
     case_state_calls},
    {"process.activate", "B-19", LEVEL_MUST, PROCESS, READY, STAGE_ACTIVATE,
     "activate waits, completes or fails, and says which", case_process_activate},
    {"process.suspend", "B-20", LEVEL_MUST, PROCESS, READY | STAGE_ACTIVATE, STAGE_SUSPEND,
     "a program that is told to wait, or has ended, returns at once", case_process_suspend},
    {"process.repeat", "B-21", LEVEL_MUST, PROCESS, READY | STAGE_ACTIVATE | STAGE_SUSPEND, STAGE_REPEAT,
     "the same journal gives the same steps", case_process_repeat},
    {"process.outside", "B-21", LEVEL_MUST, PROCESS, READY | STAGE_ACTIVATE | STAGE_REPEAT, 0,
     "process code uses no clock, chance, file, socket, thread or environment of its own", case_process_outside},
    {"process.threads", "A-17", LEVEL_MUST, PROCESS, READY | STAGE_ACTIVATE | STAGE_REPEAT, 0,
     "processes on many threads do not disturb each other", case_process_threads},
    {"process.prompt", "A-17", LEVEL_MUST, PROCESS, READY | STAGE_ACTIVATE, 0, "an activation is short",
     case_process_prompt},
    {"process.unknown", "B-22", LEVEL_MUST, PROCESS, READY | STAGE_ACTIVATE, 0,
     "a type or revision that it does not have is not run", case_process_unknown},
    {"process.failures", "B-23", LEVEL_SHOULD, PROCESS, READY | STAGE_ACTIVATE, 0,
     "failures, cancels and strange results are survived", case_process_failures},
    {"middleware.use", "A-60", LEVEL_MUST, MIDDLEWARE, READY, STAGE_AROUND,
     "before answers as it may, after and describe take what they get, and none blocks", case_middleware_use},
    {"middleware.threads", "A-61", LEVEL_MUST, MIDDLEWARE, READY | STAGE_AROUND, 0,
     "attempts on many threads at once are survived", case_middleware_threads},
    {"observer.use", "A-62", LEVEL_MUST, OBSERVER, READY, STAGE_WATCHES,
     "every observation is taken, also of a kind that it does not know, and none blocks", case_observer_use},
    {"observer.threads", "A-61", LEVEL_MUST, OBSERVER, READY | STAGE_WATCHES, 0,
     "observations on many threads at once are survived", case_observer_threads},
    {"storage.tier", "B-24", LEVEL_MUST, STORAGE, READY, 0, "tiers are at most what the manifest says",
     case_storage_tier},
    {"storage.open", "B-24", LEVEL_MUST, STORAGE, READY, STAGE_STORE,
     "a store can be opened, described and closed, again", case_storage_open},
    {"storage.conformance", "B-25", LEVEL_MUST, STORAGE, READY | STAGE_STORE, 0,
     "pawl-conformance finds nothing wrong with the facets", case_storage_conformance},
    {"state.life", "A-18", LEVEL_MUST, 0, READY, 0,
     "init, create, destroy and deinit leave alone what belongs to the program", case_state_life},
    {"leak.life", "B-18", LEVEL_SHOULD, 0, READY, 0, "init and deinit again and again take no more and more",
     case_leak_life},
    {"leak.instance", "B-18", LEVEL_SHOULD, CONNECTOR, READY | STAGE_INSTANCE, 0,
     "create and destroy again and again take no more and more", case_leak_instance},
    {"leak.calls", "B-18", LEVEL_SHOULD, CALLED, CALLS, 0, "calls again and again take no more and more",
     case_leak_calls},
    {"leak.process", "B-18", LEVEL_SHOULD, PROCESS, READY | STAGE_ACTIVATE, 0,
     "activations again and again take no more and more", case_leak_process},
    {"leak.middleware", "B-18", LEVEL_SHOULD, MIDDLEWARE, READY | STAGE_AROUND, 0,
     "instances of middleware again and again take no more and more", case_leak_middleware},
    {"leak.observer", "B-18", LEVEL_SHOULD, OBSERVER, READY | STAGE_WATCHES, 0,
     "observers again and again take no more and more", case_leak_observer},
    {"left.life", "B-7", LEVEL_SHOULD, 0, READY, 0, "no thread, child or descriptor is left after deinit",
     case_left_life},
    {"left.exec", "B-8", LEVEL_SHOULD, 0, READY, 0, "its descriptors are not inherited by other programs",
     case_left_exec},
    {"state.printed", "B-9", LEVEL_SHOULD, 0, READY, 0, "it prints nothing", case_state_printed},
};

const size_t checker_case_count = sizeof checker_cases / sizeof *checker_cases;

const checker_case *checker_case_find(const char *name)
{
    for (size_t i = 0; i < checker_case_count; i++)
        if (strcmp(checker_cases[i].name, name) == 0)
            return &checker_cases[i];
    return NULL;
}

bool checker_wants(const checker_options *options, const checker_case *entry)
{
    for (size_t i = 0; i < options->only_count; i++)
        if (strcmp(options->only[i], entry->name) == 0)
            return true;
    return options->only_count == 0 && entry->level <= options->level;
}
