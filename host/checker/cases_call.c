/* cases_call.c: single calls: what they return, what they say when they fail, what they do with what was lent to them.
 */
#include "blobs.h"
#include "call.h"
#include "cases.h"
#include "host/schema/json_schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    CODE_MAX = 128,
    MESSAGE_MAX = 4096,
    SETTLE_MS = 100,
    INLINE_TRIES = 2,
    INLINE_WARN_MS = 100,
    INLINE_MAX_MS = 1000
};
#define NS_PER_MS UINT64_C(1000000)

/* ---- what a call returns ---- */

static void judge_status(checker_lab *lab, const char *where, const lab_answer *answer)
{
    char text[64];
    if (answer->status > PAWL_OK)
        lab_find(lab, VERDICT_FAIL, where, "PAWL_OK or a failure; PAWL_PENDING only from start", "status %s",
                 lab_status_text(answer->status, text));
    else if (strcmp(pawl_status_name(answer->status), "unknown") == 0)
        lab_find(lab, VERDICT_FAIL, where, "one of the statuses of pawl_abi.h", "status %d", answer->status);
    else if (answer->status == PAWL_OK && answer->why->slot.set)
        lab_find(lab, VERDICT_FAIL, where, "one or the other: it happened, or it failed",
                 "PAWL_OK and a failure (%.*s)", (int)answer->why->slot.failure.code.size,
                 (const char *)answer->why->slot.failure.code.data);
    else if (answer->status == PAWL_E_FAILED && !answer->why->slot.set)
        lab_find(lab, VERDICT_FAIL, where, "a failure told to `why`: that is what this status says",
                 "PAWL_E_FAILED without a reason");
    else
        lab_checked(lab);
}

void case_call_sample(checker_lab *lab)
{
    char text[512];
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        lab_stage(lab, "%s", walk.where);
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_answer answer = lab_call(lab, &request);
        judge_status(lab, walk.where, &answer);
        if (answer.status < PAWL_OK)
            lab_find(lab, VERDICT_WARN, walk.where,
                     "a sample that works: most cases can only look at calls that succeed", "%s",
                     lab_answer_text(&answer, text));
        lab_answer_free(&answer);
    }
    if (lab->checked == 0)
        lab_skip_without_samples(lab);
    lab_close(lab);
}

/* ---- what it gives ---- */

static void judge_output(checker_lab *lab, const lab_walk *walk, pawl_bytes bytes, const json_t *schema)
{
    pawl_schema *compiled = NULL;
    pawl_error error = {.status = PAWL_OK};
    if (schema == NULL || pawl_schema_compile(schema, &compiled, &error) != PAWL_OK || compiled == NULL)
        return;
    if (pawl_schema_check_text(compiled, bytes, &error) != PAWL_OK)
        lab_find(lab, VERDICT_FAIL, walk->where, "what the manifest promises: the schema, or the code, is wrong", "%s",
                 error.message);
    pawl_schema_destroy(compiled);
}

static void look_at_output(checker_lab *lab, const lab_walk *walk, const lab_answer *answer)
{
    pawl_bytes bytes = lab_answer_bytes(answer);
    lab_checked(lab);
    if (!lab_gives_json(walk->now))
        return;
    json_error_t problem;
    json_t *json = json_loadb(bytes.data, bytes.size, JSON_DECODE_ANY, &problem);
    if (json == NULL)
        lab_find(lab, VERDICT_WARN, walk->where, "JSON, or another media_type in the manifest",
                 "a result of %zu bytes that is no JSON: %s", bytes.size, problem.text);
    json_decref(json);
    judge_output(lab, walk, bytes, walk->now->declared->output_schema);
    judge_output(lab, walk, bytes, walk->output);
}

void case_call_output(checker_lab *lab)
{
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        lab_stage(lab, "%s", walk.where);
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_answer answer = lab_call(lab, &request);
        if (answer.status == PAWL_OK)
            look_at_output(lab, &walk, &answer);
        lab_answer_free(&answer);
    }
    if (lab->checked == 0)
        lab_skip(lab, "no sample succeeds");
    lab_close(lab);
}

/* ---- odd inputs ---- */

typedef struct {
    const char *what;
    pawl_bytes bytes;
} odd_input;

#define ODD(what, literal)                                                                                             \
    {                                                                                                                  \
        what,                                                                                                          \
        {                                                                                                              \
            literal, sizeof(literal) - 1                                                                               \
        }                                                                                                              \
    }
enum { DEPTH = 2000, LARGE = 1 << 20 };

/* The last two are made: deep and large. */
static size_t odd_inputs(odd_input *ret)
{
    static const odd_input fixed[] = {ODD("no input", ""),
                                      ODD("text that is no JSON", "pawl"),
                                      ODD("null", "null"),
                                      ODD("a number", "-1e308"),
                                      ODD("an empty object", "{}"),
                                      ODD("an empty array", "[]"),
                                      ODD("half of an object", "{\"a\":"),
                                      ODD("a NUL byte", "{\"a\":\"\0\"}"),
                                      ODD("what is no UTF-8", "\"\xff\xfe\""),
                                      ODD("an unknown key", "{\"pawl-check-unknown-key\":[1,{}]}")};
    static char deep[2 * DEPTH], large[LARGE + 2];
    size_t count = sizeof fixed / sizeof *fixed;
    memcpy(ret, fixed, sizeof fixed);
    memset(deep, '[', DEPTH);
    memset(deep + DEPTH, ']', DEPTH);
    memset(large, 'x', sizeof large);
    large[0] = large[LARGE + 1] = '"';
    ret[count++] = (odd_input){"arrays 2000 deep", {deep, sizeof deep}};
    ret[count++] = (odd_input){"a text of 1 MiB", {large, sizeof large}};
    return count;
}
enum { ODD_MAX = 16 };

static bool fits(const lab_operation *operation, pawl_bytes input)
{
    pawl_schema *schema = NULL;
    pawl_error error = {.status = PAWL_OK};
    if (pawl_schema_compile(operation->declared->input_schema, &schema, &error) != PAWL_OK)
        return true;
    bool good = schema == NULL || pawl_schema_check_text(schema, input, &error) == PAWL_OK;
    pawl_schema_destroy(schema);
    return good;
}

void case_input_odd(checker_lab *lab)
{
    odd_input inputs[ODD_MAX];
    size_t count = odd_inputs(inputs);
    const lab_operation *last = NULL;
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        if (walk.now == last)
            continue;
        last = walk.now;
        for (size_t i = 0; i < count; i++) {
            lab_stage(lab, "%s with %s as input", walk.now->declared->name, inputs[i].what);
            const lab_request request = {.operation = walk.now, .input = inputs[i].bytes};
            lab_answer answer = lab_call(lab, &request);
            judge_status(lab, walk.now->declared->name, &answer);
            if (answer.why->slot.set && answer.why->slot.failure.klass == PAWL_RETRYABLE &&
                !fits(walk.now, inputs[i].bytes))
                lab_find(lab, VERDICT_WARN, walk.now->declared->name,
                         "PAWL_TERMINAL: it will never fit, however often it is tried",
                         "PAWL_RETRYABLE for %s as input", inputs[i].what);
            lab_answer_free(&answer);
        }
    }
    if (lab->checked == 0)
        lab_skip_without_samples(lab);
    lab_close(lab);
}

/* ---- what it says when it fails ---- */

static bool is_code(pawl_bytes code)
{
    const char *text = code.data;
    for (size_t i = 0; i < code.size; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL)
            return false;
    return code.size > 0;
}

static bool is_utf8(pawl_bytes bytes)
{
    json_t *text = json_stringn(bytes.size == 0 ? "" : bytes.data, bytes.size);
    json_decref(text);
    return text != NULL;
}

static void judge_detail(checker_lab *lab, const char *where, pawl_bytes detail)
{
    json_t *json = detail.size == 0 ? NULL : json_loadb(detail.data, detail.size, JSON_DECODE_ANY, NULL);
    if (detail.size > 0 && !json_is_object(json))
        lab_find(lab, VERDICT_FAIL, where, "a JSON object, or nothing", "a detail that is %s",
                 json == NULL ? "no JSON" : "no object");
    json_decref(json);
}

static void judge_failure(checker_lab *lab, const char *where, const lab_why *why)
{
    const pawl_failure *failure = &why->slot.failure;
    lab_checked(lab);
    if (failure->klass < PAWL_TERMINAL || failure->klass > PAWL_UNKNOWN_OUTCOME)
        lab_find(lab, VERDICT_FAIL, where, "PAWL_TERMINAL, PAWL_RETRYABLE or PAWL_UNKNOWN_OUTCOME",
                 "the failure class %u", failure->klass);
    if (why->code_size > CODE_MAX)
        lab_find(lab, VERDICT_FAIL, where, "at most 128 bytes: it is a name for programs", "a code of %zu bytes",
                 why->code_size);
    else if (!is_code(failure->code))
        lab_find(lab, VERDICT_FAIL, where, "a stable, dotted name such as mail.refused", "the code \"%.*s\"",
                 (int)failure->code.size, (const char *)failure->code.data);
    else if (memchr(failure->code.data, '.', failure->code.size) == NULL)
        lab_find(lab, VERDICT_WARN, where, "a dotted name, so that two plugins do not have the same",
                 "the code \"%.*s\"", (int)failure->code.size, (const char *)failure->code.data);
    if (why->message_size > MESSAGE_MAX)
        lab_find(lab, VERDICT_WARN, where, "at most 4096: the rest is cut", "a message of %zu bytes",
                 why->message_size);
    if (failure->message.size == 0)
        lab_find(lab, VERDICT_WARN, where, "a message for people", "no message");
    if (!is_utf8(failure->message))
        lab_find(lab, VERDICT_FAIL, where, "UTF-8", "a message that is not");
    judge_detail(lab, where, failure->detail_json);
}

void case_call_failure(checker_lab *lab)
{
    odd_input inputs[ODD_MAX + 1];
    size_t count = odd_inputs(inputs);
    char where[300];
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        inputs[count] = (odd_input){"its sample", lab_walk_input(&walk)};
        for (size_t i = 0; i <= count; i++) {
            snprintf(where, sizeof where, "%s with %s as input", walk.where, inputs[i].what);
            lab_stage(lab, "%s", where);
            const lab_request request = {.operation = walk.now, .input = inputs[i].bytes};
            lab_answer answer = lab_call(lab, &request);
            if (answer.why->slot.set)
                judge_failure(lab, where, answer.why);
            lab_answer_free(&answer);
        }
    }
    if (lab->checked == 0)
        lab_skip(lab, "no call fails with a failure");
    lab_close(lab);
}

void case_call_unknown(checker_lab *lab)
{
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        lab_stage(lab, "an operation that the manifest does not have, with the input of %s", walk.where);
        const lab_request request = {
            .operation = walk.now, .name = "pawl-check.unknown", .input = lab_walk_input(&walk)};
        lab_answer answer = lab_call(lab, &request);
        lab_checked(lab);
        if (answer.status == PAWL_OK)
            lab_find(lab, VERDICT_WARN, walk.now->of_connector ? "invoke" : "execute",
                     "a refusal: look at call->operation, another one may be added some day",
                     "that the operation \"pawl-check.unknown\" succeeds");
        lab_answer_free(&answer);
    }
    if (lab->checked == 0)
        lab_skip_without_samples(lab);
    lab_close(lab);
}

/* ---- what was lent ---- */

void case_call_borrowed(checker_lab *lab)
{
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    for (unsigned round = 0; round < 2; round++) {
        walk = (lab_walk){0};
        while (lab_walk_next(lab, &walk)) {
            lab_stage(lab, "%s%s: reading past its input, writing to it, or using that of an earlier call", walk.where,
                      round == 0 ? "" : ", again");
            const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk), .care = BYTES_FENCED};
            lab_answer answer = lab_call(lab, &request);
            lab_checked(lab);
            lab_answer_free(&answer);
        }
    }
    if (lab->checked == 0)
        lab_skip_without_samples(lab);
    lab_pause_ms(SETTLE_MS);
    lab_close(lab);
}

static void judge_offence(checker_lab *lab, atomic_uint *count, const char *wanted, const char *what)
{
    unsigned times = atomic_load(count);
    if (times > 0)
        lab_find(lab, VERDICT_FAIL, NULL, wanted, "%s, %u times", what, times);
}

void case_call_late(checker_lab *lab)
{
    lab_walk walk = {0};
    lab_offences *o = &lab->offences;
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        lab_stage(lab, "%s", walk.where);
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_answer answer = lab_call(lab, &request);
        lab_checked(lab);
        lab_answer_free(&answer);
    }
    if (lab->checked == 0)
        lab_skip_without_samples(lab);
    lab_pause_ms(SETTLE_MS);
    lab_close(lab);
    lab_pause_ms(SETTLE_MS / 2);
    judge_offence(lab, &o->late_writes, "nothing after the call has returned",
                  "a write to the sink of a call that was over");
    judge_offence(lab, &o->late_failures, "nothing after the call has returned",
                  "a failure told for a call that was over");
    judge_offence(lab, &o->late_completions, "complete exactly once, and only after PAWL_PENDING",
                  "a completion of a call that was over");
    judge_offence(lab, &o->null_objects, "the object that was given", "a call of the host with NULL");
    judge_offence(lab, &o->bad_bytes, "data that is NULL only when size is 0", "bytes at NULL with a length");
    if (lab_blobs_open() > 0)
        lab_find(lab, VERDICT_FAIL, NULL, "each ended with commit or abort", "%u uploads of attachments left open",
                 lab_blobs_open());
}

/* ---- how long it takes ---- */

void case_call_inline(checker_lab *lab)
{
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        uint64_t least = UINT64_MAX;
        if (walk.now->declared->runs != PAWL_RUNS_INLINE)
            continue;
        for (unsigned i = 0; i < INLINE_TRIES; i++) {
            lab_stage(lab, "%s", walk.where);
            const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
            lab_answer answer = lab_call(lab, &request);
            least = answer.took_ns < least ? answer.took_ns : least;
            lab_answer_free(&answer);
        }
        lab_checked(lab);
        if (least > INLINE_WARN_MS * NS_PER_MS)
            lab_find(lab, least > INLINE_MAX_MS * NS_PER_MS ? VERDICT_FAIL : VERDICT_WARN, walk.where,
                     "\"runs\": \"pool\" for what takes long: an inline operation holds up every process of its shard",
                     "that it takes %llu ms and runs inline", (unsigned long long)(least / NS_PER_MS));
    }
    if (lab->checked == 0)
        lab_skip(lab, "no operation with a sample runs inline");
    lab_close(lab);
}
