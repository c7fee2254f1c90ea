/* cases_life.c: init, factories, instances and deinit, in the orders that hosts have. */
#include "call.h"
#include "cases.h"
#include "host/schema/json_schema.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3, THREADS = 8, LOOKUPS = 2000 };

/* A status other than PAWL_OK comes with a failure that says why. */
static void judge_refusal(checker_lab *lab, const char *where, pawl_status status, const lab_why *why)
{
    char text[64];
    if (status > PAWL_OK)
        lab_find(lab, VERDICT_FAIL, where, "PAWL_OK or a failure", "status %s", lab_status_text(status, text));
    else if (!why->slot.set)
        lab_find(lab, VERDICT_FAIL, where, "a failure told to `why`, so that an operator knows what to do",
                 "status %s and no reason", lab_status_text(status, text));
}

static const char *reason_of(const lab_why *why, char text[400])
{
    snprintf(text, 400, "%.*s: %.*s", (int)why->slot.failure.code.size, (const char *)why->slot.failure.code.data,
             (int)why->slot.failure.message.size, (const char *)why->slot.failure.message.data);
    return why->slot.set ? text : "no reason given";
}

/* ---- init ---- */

void case_life_init(checker_lab *lab)
{
    char text[64], reason[400];
    if (!lab_load(lab))
        return;
    lab_why *why = lab_why_create();
    lab_stage(lab, "init");
    pawl_status status = lab_init_with(lab, &lab->host, lab->options->config, why);
    lab_why_close(why);
    lab_checked(lab);
    if (status == PAWL_OK) {
        lab_stage(lab, "deinit");
        lab->root.deinit(&lab->host.root);
        return;
    }
    lab_find(lab, VERDICT_FAIL, "init", "PAWL_OK; give the config it needs with --config", "status %s: %s",
             lab_status_text(status, text), reason_of(why, reason));
}

void case_life_tables(checker_lab *lab)
{
    pawl_error error = {.status = PAWL_OK};
    if (!lab_init(lab))
        return;
    lab_checked(lab);
    lab_stage(lab, "get_factory");
    if (pawl_contract_take_tables(&lab->root, lab->manifest, lab->options->file, &lab->tables, &error) != PAWL_OK)
        lab_find(lab, VERDICT_FAIL, NULL, "", "%s", error.message);
    lab_close(lab);
}

void case_life_exit(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    lab_checked(lab);
    lab_close(lab);
    lab_stage(lab, "exit (a destructor of the plugin, or of a library it needs)");
    lab->ends_by_exit = true;
}

void case_life_again(checker_lab *lab)
{
    char text[64], reason[400];
    if (!lab_load(lab))
        return;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        lab_why *why = lab_why_create();
        lab_stage(lab, "init number %u", round);
        pawl_status status = lab_init_with(lab, &lab->host, lab->options->config, why);
        lab_why_close(why);
        lab_checked(lab);
        if (status != PAWL_OK) {
            lab_find(lab, VERDICT_FAIL, "init", "that it works again after a deinit: another host in the program",
                     "at number %u status %s: %s", round, lab_status_text(status, text), reason_of(why, reason));
            return;
        }
        lab_stage(lab, "deinit number %u", round);
        lab->root.deinit(&lab->host.root);
    }
}

void case_life_two_hosts(checker_lab *lab)
{
    static lab_host other;
    char text[64], reason[400];
    if (!lab_instance(lab))
        return;
    lab_host_init(&other, lab);
    lab_why *why = lab_why_create();
    lab_stage(lab, "init of a second host");
    pawl_status status = lab_init_with(lab, &other, lab->options->config, why);
    lab_why_close(why);
    lab_checked(lab);
    if (status != PAWL_OK) {
        lab_find(lab, VERDICT_FAIL, "init", "that it works while another host in the program has it",
                 "for a second host status %s: %s", lab_status_text(status, text), reason_of(why, reason));
        return;
    }
    lab_stage(lab, "deinit of the second host");
    lab->root.deinit(&other.root);
    lab_walk walk = {0};
    while (lab_walk_next(lab, &walk)) {
        lab_stage(lab, "%s for the first host, after deinit of the second", walk.where);
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_answer answer = lab_call(lab, &request);
        lab_answer_free(&answer);
    }
    lab_close(lab);
}

/* ---- factories ---- */

static const char *const factory_ids[] = {PAWL_FACTORY_EFFECT,   PAWL_FACTORY_CONNECTOR, PAWL_FACTORY_PROCESS,
                                          PAWL_FACTORY_STORAGE,  PAWL_FACTORY_SESSION,   PAWL_FACTORY_ATTACHMENT,
                                          PAWL_FACTORY_ARTIFACT, PAWL_FACTORY_REGISTRY,  PAWL_FACTORY_STORAGE_CARE};
#define FACTORY_COUNT (sizeof factory_ids / sizeof *factory_ids)

typedef struct {
    const checker_lab *lab;
    const void *tables[FACTORY_COUNT];
    atomic_uint differences;
} lookups;

static void *look_up(void *context)
{
    lookups *own = context;
    for (unsigned i = 0; i < LOOKUPS; i++) {
        size_t at = i % FACTORY_COUNT;
        if (own->lab->root.get_factory(factory_ids[at]) != own->tables[at])
            atomic_fetch_add(&own->differences, 1);
    }
    return NULL;
}

void case_life_factory(checker_lab *lab)
{
    static const char *const unknown[] = {"", "pawl.effect/999", "com.example.unknown/1", "pawl.effect/1 "};
    static lookups own;
    pthread_t threads[THREADS];
    unsigned started = 0;
    if (!lab_init(lab))
        return;
    own.lab = lab;
    for (size_t i = 0; i < FACTORY_COUNT; i++) {
        lab_stage(lab, "get_factory(\"%s\")", factory_ids[i]);
        own.tables[i] = lab->root.get_factory(factory_ids[i]);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        lab_stage(lab, "get_factory(\"%s\")", unknown[i]);
        lab_checked(lab);
        if (lab->root.get_factory(unknown[i]) != NULL)
            lab_find(lab, VERDICT_FAIL, "get_factory", "NULL for an id that it does not know: compare the whole id",
                     "a table for \"%s\"", unknown[i]);
    }
    lab_stage(lab, "get_factory from %u threads at once", THREADS);
    for (; started < THREADS; started++)
        if (pthread_create(&threads[started], NULL, look_up, &own) != 0)
            break;
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (atomic_load(&own.differences) > 0)
        lab_find(lab, VERDICT_FAIL, "get_factory", "the same static table every time, on any thread",
                 "another table for the same id, %u times", atomic_load(&own.differences));
    lab_close(lab);
}

/* ---- other hosts ---- */

void case_life_bare_host(checker_lab *lab)
{
    if (!lab_load(lab))
        return;
    lab->host.bare = true;
    lab_why *why = lab_why_create();
    lab_stage(lab, "init under a host that has pawl.core/1 alone");
    pawl_status status = lab_init_with(lab, &lab->host, lab->options->config, why);
    lab_why_close(why);
    lab_checked(lab);
    if (status != PAWL_OK) {
        judge_refusal(lab, "init under a host without extensions", status, why);
        return;
    }
    lab->initialised = true;
    if (lab_instance(lab)) {
        lab_walk walk = {0};
        while (lab_walk_next(lab, &walk)) {
            lab_stage(lab, "%s under a host that has pawl.core/1 alone", walk.where);
            const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
            lab_answer answer = lab_call(lab, &request);
            lab_answer_free(&answer);
        }
    }
    lab_close(lab);
}

void case_life_newer_host(checker_lab *lab)
{
    char text[64], reason[400];
    if (!lab_load(lab))
        return;
    lab_host_make_newer(&lab->host);
    lab_why *why = lab_why_create();
    lab_stage(lab, "init under a host of a later minor");
    pawl_status status = lab_init_with(lab, &lab->host, lab->options->config, why);
    lab_why_close(why);
    lab_checked(lab);
    if (status != PAWL_OK) {
        lab_find(lab, VERDICT_FAIL, "init",
                 "that it works: what a host has more is left alone; compare sizes and minors with >=, not with ==",
                 "under a host of ABI %u.%u with longer tables status %s: %s", PAWL_ABI_MAJOR, lab->host.root.abi_minor,
                 lab_status_text(status, text), reason_of(why, reason));
        return;
    }
    lab->initialised = true;
    if (!lab_instance(lab))
        return;
    lab_walk walk = {0};
    while (lab_walk_next(lab, &walk)) {
        lab_stage(lab, "%s with a longer pawl_effect_call", walk.where);
        const lab_request plain = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_request longer = plain;
        longer.newer = true;
        lab_answer answer = lab_call(lab, &longer);
        if (answer.status != PAWL_OK) {
            lab_host usual = lab->host;
            lab_host_init(&usual, lab);
            lab_request again = plain;
            again.host = &usual;
            lab_answer other = lab_call(lab, &again);
            if (other.status == PAWL_OK)
                lab_find(lab, VERDICT_FAIL, walk.where, "the same as from a host of this minor",
                         "status %s for a call struct that is longer than it knows",
                         lab_status_text(answer.status, text));
            lab_answer_free(&other);
        }
        lab_answer_free(&answer);
    }
    lab_close(lab);
}

/* ---- bad configs ---- */

typedef struct {
    const char *config;
    const char *what;
    bool no_object; /* no host gives such a thing: to survive it is all that is asked */
} bad_config;

static const bad_config bad_configs[] = {
    {"{\"pawl-check-unknown-key\":1}", "a key that nobody knows", false},
    {"{}", "an empty object", true},
    {"[]", "an array", true},
    {"null", "null", true},
    {"", "nothing", true},
    {"{\"a\":", "half of an object", true},
    {"{\"\\u0000\":\"\\ud800\"}", "odd characters", true},
};

void case_life_bad_config(checker_lab *lab)
{
    if (!lab_load(lab))
        return;
    for (size_t i = 0; i < sizeof bad_configs / sizeof *bad_configs; i++) {
        lab_why *why = lab_why_create();
        lab_stage(lab, "init with %s as config", bad_configs[i].what);
        pawl_status status = lab_init_with(lab, &lab->host, bad_configs[i].config, why);
        lab_why_close(why);
        lab_checked(lab);
        if (status == PAWL_OK) {
            lab_stage(lab, "deinit after %s as config", bad_configs[i].what);
            lab->root.deinit(&lab->host.root);
        } else {
            judge_refusal(lab, bad_configs[i].what, status, why);
        }
    }
    if (!lab_init(lab))
        return;
    lab_close(lab);
}

static bool fits_schema(const checker_lab *lab, const char *config)
{
    pawl_schema *schema = NULL;
    pawl_error error = {.status = PAWL_OK};
    if (lab->manifest->config_schema == NULL ||
        pawl_schema_compile(lab->manifest->config_schema, &schema, &error) != PAWL_OK)
        return true;
    bool fits = pawl_schema_check_text(schema, pawl_bytes_text(config), &error) == PAWL_OK;
    pawl_schema_destroy(schema);
    return fits;
}

void case_instance_bad_config(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    for (size_t i = 0; i < sizeof bad_configs / sizeof *bad_configs; i++) {
        const bad_config *bad = &bad_configs[i];
        pawl_connector *instance = NULL;
        lab_why *why = lab_why_create();
        lab_stage(lab, "create with %s as config", bad->what);
        pawl_status status = lab_create_with(lab, &lab->host, "check", bad->config, &instance, why);
        lab_why_close(why);
        lab_checked(lab);
        if (status != PAWL_OK) {
            judge_refusal(lab, bad->what, status, why);
            if (instance != NULL)
                lab_find(lab, VERDICT_FAIL, bad->what, "no instance when create fails", "an instance as well");
            continue;
        }
        if (!fits_schema(lab, bad->config))
            lab_find(lab, VERDICT_FAIL, bad->what,
                     "a refusal with the key that is wrong: the config_schema excludes it", "that create takes %s",
                     bad->config[0] == '\0' ? "no text" : bad->config);
        else if (!bad->no_object)
            lab_find(lab, VERDICT_WARN, bad->what, "a refusal: it is a mistake in somebody's profile",
                     "that create takes %s", bad->config);
        lab_stage(lab, "destroy after %s as config", bad->what);
        lab->tables.connector.destroy(instance);
    }
    lab_close(lab);
}

/* ---- instances ---- */

void case_instance_create(checker_lab *lab)
{
    char text[64], reason[400];
    pawl_connector *instance = NULL;
    if (!lab_tables(lab))
        return;
    lab_why *why = lab_why_create();
    lab_stage(lab, "create");
    pawl_status status = lab_create_with(lab, &lab->host, "check", lab_instance_config(lab), &instance, why);
    lab_why_close(why);
    if (status != PAWL_OK && lab->options->instance == NULL) {
        lab_skip(lab, "it makes no instance of {}; give its config with --instance: %s", reason_of(why, reason));
        return;
    }
    lab_checked(lab);
    if (status != PAWL_OK) {
        lab_find(lab, VERDICT_FAIL, "create", "an instance of the config that was given with --instance",
                 "status %s: %s", lab_status_text(status, text), reason_of(why, reason));
        return;
    }
    if (instance == NULL) {
        lab_find(lab, VERDICT_FAIL, "create", "an instance", "PAWL_OK and no instance");
        return;
    }
    lab_stage(lab, "destroy");
    lab->tables.connector.destroy(instance);
    lab_close(lab);
}

void case_instance_several(checker_lab *lab)
{
    pawl_connector *several[ROUNDS] = {NULL};
    if (!lab_instance(lab))
        return;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < ROUNDS; i++) {
            char name[32], text[64], reason[400];
            lab_why *why = lab_why_create();
            snprintf(name, sizeof name, "check-%u", i);
            lab_stage(lab, "create of %s beside others", name);
            pawl_status status = lab_create_with(lab, &lab->host, name, lab_instance_config(lab), &several[i], why);
            lab_why_close(why);
            lab_checked(lab);
            if (status != PAWL_OK) {
                lab_find(lab, VERDICT_FAIL, "create", "several instances at once: a profile may have them",
                         "for instance number %u status %s: %s", i + 2, lab_status_text(status, text),
                         reason_of(why, reason));
                return;
            }
            if (several[i] == lab->instance || (i > 0 && several[i] == several[i - 1]))
                lab_find(lab, VERDICT_FAIL, "create", "an instance of its own for each",
                         "the same instance for two names");
        }
        lab_stage(lab, "destroy, the oldest first");
        for (unsigned i = 0; i < ROUNDS; i++)
            lab->tables.connector.destroy(several[i]);
    }
    lab_walk walk = {0};
    while (lab_walk_next(lab, &walk)) {
        lab_stage(lab, "%s after other instances are gone", walk.where);
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_answer answer = lab_call(lab, &request);
        lab_answer_free(&answer);
    }
    lab_close(lab);
}

void case_instance_null(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    lab_checked(lab);
    lab_stage(lab, "destroy(NULL)");
    lab->tables.connector.destroy(NULL);
    lab_close(lab);
}
