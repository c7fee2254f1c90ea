/* filter.c: see filter.h. Only a condition that everything must fulfil can lead to rows; one under OR or NOT is looked
 * at row by row. Must never give up a row because an index was chosen badly: a choice costs time, not truth. */
#include "filter.h"

#include <stdio.h>
#include <stdlib.h>

#define GUESS_ROWS_MAX 1000u /* index rows counted to compare two conditions */

typedef struct condition {
    uint32_t operation;
    pawl_bytes name; /* the caller's */
    json_t *value;
    bool must; /* everything must fulfil it */
} condition;

struct pawl_store_filter {
    size_t count;
    condition conditions[PAWL_STORE_CONDITIONS_MAX];
};

#define INVALID(...) pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", __VA_ARGS__)

/* ---- checking ---- */

static const pawl_condition *condition_at(const pawl_list *list, size_t index)
{
    return (const pawl_condition *)(const void *)((const char *)list->conditions + index * list->condition_size);
}

static bool is_scalar(const json_t *value)
{
    return json_is_string(value) || json_is_number(value) || json_is_boolean(value);
}

static pawl_status check_value(size_t index, const condition *made, pawl_fault *fault)
{
    const json_t *value = made->value;
    if (made->operation == PAWL_CONDITION_IN) {
        size_t count = json_array_size(value);
        if (count == 0)
            return INVALID("condition %zu asks for one of no values", index + 1);
        if (count > PAWL_STORE_CONDITION_VALUES_MAX)
            return pawl_store_limit(fault, "the values of one condition", count, PAWL_STORE_CONDITION_VALUES_MAX);
        for (size_t i = 0; i < count; i++)
            if (!is_scalar(json_array_get(value, i)))
                return INVALID("value %zu of condition %zu is not a string, a number, true or false", i + 1, index + 1);
        return PAWL_OK;
    }
    if (!is_scalar(value))
        return INVALID("the value of condition %zu is not a string, a number, true or false", index + 1);
    if (made->operation == PAWL_CONDITION_PREFIX && !json_is_string(value))
        return INVALID("condition %zu asks what begins with something that is not a string", index + 1);
    return PAWL_OK;
}

static pawl_status take_leaf(size_t index, const pawl_condition *given, condition *made, pawl_fault *fault)
{
    made->name = given->name;
    if (made->name.size == 0 || made->name.size > PAWL_STORE_ATTRIBUTE_NAME_BYTES_MAX)
        return INVALID("condition %zu names an attribute of %zu bytes; wanted 1 to %u", index + 1, made->name.size,
                       PAWL_STORE_ATTRIBUTE_NAME_BYTES_MAX);
    if (given->value.size > PAWL_STORE_ATTRIBUTES_BYTES_MAX)
        return pawl_store_limit(fault, "the bytes of a condition", given->value.size, PAWL_STORE_ATTRIBUTES_BYTES_MAX);
    made->value = json_loadb(given->value.data, given->value.size, JSON_DECODE_ANY, NULL);
    if (made->value == NULL)
        return INVALID("the value of condition %zu is not JSON", index + 1);
    return check_value(index, made, fault);
}

/* How deep the stack is, and how many conditions in a row each one makes up together with what it takes. */
typedef struct operands {
    size_t depth;
    size_t sizes[PAWL_STORE_CONDITIONS_MAX];
} operands;

static size_t operands_of(const condition *made)
{
    return made->operation < PAWL_CONDITION_AND ? 0 : made->operation == PAWL_CONDITION_NOT ? 1 : 2;
}

static pawl_status push(operands *stack, size_t index, const condition *made, pawl_fault *fault)
{
    stack->sizes[index] = 1;
    if (made->operation >= PAWL_CONDITION_EQUAL && made->operation <= PAWL_CONDITION_IN) {
        stack->depth++;
        return PAWL_OK;
    }
    if (made->operation < PAWL_CONDITION_AND || made->operation > PAWL_CONDITION_NOT)
        return INVALID("condition %zu has the unknown operation %u", index + 1, made->operation);
    size_t takes = operands_of(made);
    if (stack->depth < takes)
        return INVALID("condition %zu takes %zu others, and %zu stand in front of it", index + 1, takes, stack->depth);
    stack->depth -= takes - 1;
    for (size_t i = 0; i < takes; i++)
        stack->sizes[index] += stack->sizes[index - stack->sizes[index]];
    return PAWL_OK;
}

/* Everything must fulfil what is left on the stack, and both sides of an AND that it must. */
static void find_musts(pawl_store_filter *filter, const operands *stack)
{
    for (size_t i = filter->count; i > 0; i -= stack->sizes[i - 1])
        filter->conditions[i - 1].must = true;
    for (size_t i = filter->count; i-- > 0;) {
        if (!filter->conditions[i].must || filter->conditions[i].operation != PAWL_CONDITION_AND)
            continue;
        filter->conditions[i - 1].must = true;
        filter->conditions[i - 1 - stack->sizes[i - 1]].must = true;
    }
}

pawl_status pawl_store_filter_make(const pawl_list *list, pawl_store_filter **ret, pawl_fault *fault)
{
    operands stack = {0};
    *ret = NULL;
    if (list->condition_count == 0)
        return PAWL_OK;
    if (list->condition_count > PAWL_STORE_CONDITIONS_MAX)
        return pawl_store_limit(fault, "the conditions of a list", list->condition_count, PAWL_STORE_CONDITIONS_MAX);
    if (list->conditions == NULL || list->condition_size < sizeof(pawl_condition))
        return INVALID("the conditions of a list have elements of %zu bytes; wanted at least %zu", list->condition_size,
                       sizeof(pawl_condition));
    pawl_store_filter *filter = calloc(1, sizeof *filter);
    if (filter == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < list->condition_count && status == PAWL_OK; i++) {
        condition *made = &filter->conditions[filter->count++];
        made->operation = condition_at(list, i)->operation;
        status = push(&stack, i, made, fault);
        if (status == PAWL_OK && made->operation < PAWL_CONDITION_AND)
            status = take_leaf(i, condition_at(list, i), made, fault);
    }
    if (status != PAWL_OK) {
        pawl_store_filter_free(filter);
        return status;
    }
    find_musts(filter, &stack);
    *ret = filter;
    return PAWL_OK;
}

void pawl_store_filter_free(pawl_store_filter *filter)
{
    if (filter == NULL)
        return;
    for (size_t i = 0; i < filter->count; i++)
        json_decref(filter->conditions[i].value);
    free(filter);
}

/* ---- judging ---- */

static bool same_kind(const json_t *a, const json_t *b)
{
    return json_typeof(a) == json_typeof(b) || (json_is_boolean(a) && json_is_boolean(b));
}

/* Of one kind. */
static int compare(const json_t *a, const json_t *b)
{
    if (json_is_string(a))
        return pawl_bytes_compare((pawl_bytes){json_string_value(a), json_string_length(a)},
                                  (pawl_bytes){json_string_value(b), json_string_length(b)});
    if (json_is_integer(a))
        return (json_integer_value(a) > json_integer_value(b)) - (json_integer_value(a) < json_integer_value(b));
    if (json_is_real(a))
        return (json_real_value(a) > json_real_value(b)) - (json_real_value(a) < json_real_value(b));
    return json_is_true(a) - json_is_true(b);
}

static bool is_in(const json_t *found, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (same_kind(found, one) && compare(found, one) == 0)
            return true;
    }
    return false;
}

static bool fulfils(const condition *asked, const json_t *attributes)
{
    const json_t *found = json_object_getn(attributes, asked->name.data, asked->name.size);
    if (found == NULL)
        return false;
    if (asked->operation == PAWL_CONDITION_IN)
        return is_in(found, asked->value);
    if (!same_kind(found, asked->value))
        return false;
    int order = compare(found, asked->value);
    switch (asked->operation) {
    case PAWL_CONDITION_EQUAL:
        return order == 0;
    case PAWL_CONDITION_NOT_EQUAL:
        return order != 0;
    case PAWL_CONDITION_LESS:
        return order < 0;
    case PAWL_CONDITION_AT_MOST:
        return order <= 0;
    case PAWL_CONDITION_MORE:
        return order > 0;
    case PAWL_CONDITION_AT_LEAST:
        return order >= 0;
    default:
        return pawl_bytes_start_with((pawl_bytes){json_string_value(found), json_string_length(found)},
                                     (pawl_bytes){json_string_value(asked->value), json_string_length(asked->value)});
    }
}

static bool judge(const pawl_store_filter *filter, const json_t *attributes)
{
    bool stack[PAWL_STORE_CONDITIONS_MAX] = {false};
    size_t depth = 0;
    for (size_t i = 0; i < filter->count; i++) {
        const condition *asked = &filter->conditions[i];
        switch (asked->operation) {
        case PAWL_CONDITION_AND:
            depth--;
            stack[depth - 1] = stack[depth - 1] && stack[depth];
            break;
        case PAWL_CONDITION_OR:
            depth--;
            stack[depth - 1] = stack[depth - 1] || stack[depth];
            break;
        case PAWL_CONDITION_NOT:
            stack[depth - 1] = !stack[depth - 1];
            break;
        default:
            stack[depth++] = fulfils(asked, attributes);
            break;
        }
    }
    bool all = true;
    for (size_t i = 0; i < depth; i++)
        all = all && stack[i];
    return all;
}

pawl_status pawl_store_filter_fits(const pawl_store_filter *filter, const pawl_process_row *row, bool *ret,
                                   pawl_fault *fault)
{
    json_t *attributes = NULL;
    *ret = true;
    if (filter == NULL)
        return PAWL_OK;
    if (row->attributes.size == 0)
        attributes = json_object();
    else if (pawl_store_attributes_parse(row->attributes, false, &attributes, fault) != PAWL_OK)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "stored data is damaged: the search attributes of process number %llu cannot be read",
                              (unsigned long long)row->number);
    if (attributes == NULL)
        return pawl_fault_nomem(fault);
    *ret = judge(filter, attributes);
    json_decref(attributes);
    return PAWL_OK;
}

/* ---- choosing an index ---- */

static void behind(pawl_key *key)
{
    (void)pawl_key_successor(key); /* a key of an attribute begins with a letter: there is one */
}

/* The rows of a condition that is no IN. */
static void range_of(const condition *asked, const json_t *value, pawl_store_range *ret)
{
    bool from = asked->operation == PAWL_CONDITION_MORE || asked->operation == PAWL_CONDITION_AT_LEAST;
    bool to = asked->operation == PAWL_CONDITION_LESS || asked->operation == PAWL_CONDITION_AT_MOST;
    ret->equal = asked->operation == PAWL_CONDITION_EQUAL || asked->operation == PAWL_CONDITION_IN;
    pawl_store_key_attribute_kind(&ret->lower, asked->name, value);
    ret->upper = ret->lower;
    behind(&ret->upper);
    if (asked->operation == PAWL_CONDITION_PREFIX) {
        pawl_store_key_attribute_prefix(&ret->lower, asked->name,
                                        (pawl_bytes){json_string_value(value), json_string_length(value)});
        ret->upper = ret->lower;
        behind(&ret->upper);
    } else if (ret->equal || from) {
        pawl_store_key_attribute_value(&ret->lower, asked->name, value);
        if (ret->equal)
            ret->upper = ret->lower;
        if (ret->equal)
            behind(&ret->upper);
        if (asked->operation == PAWL_CONDITION_MORE)
            behind(&ret->lower);
    } else if (to) {
        pawl_store_key_attribute_value(&ret->upper, asked->name, value);
        if (asked->operation == PAWL_CONDITION_AT_MOST)
            behind(&ret->upper);
    }
}

static size_t ranges_of(const condition *asked, pawl_store_range *ranges)
{
    if (asked->operation != PAWL_CONDITION_IN) {
        range_of(asked, asked->value, &ranges[0]);
        return 1;
    }
    for (size_t i = 0; i < json_array_size(asked->value); i++)
        range_of(asked, json_array_get(asked->value, i), &ranges[i]);
    return json_array_size(asked->value);
}

/* How many rows, at most so many more than *rows. */
static pawl_status count_rows(pawl_kv *kv, const pawl_store_range *range, uint64_t *rows, pawl_fault *fault)
{
    pawl_kv_cursor *cursor =
        pawl_kv_cursor_open(kv, PAWL_FAMILY_RELATION, pawl_key_bytes(&range->lower), pawl_key_bytes(&range->upper));
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&range->lower)); cursor->valid && *rows < GUESS_ROWS_MAX;
         pawl_kv_cursor_next(cursor))
        (*rows)++;
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

pawl_status pawl_store_filter_plan(const pawl_store_filter *filter, pawl_kv *kv, pawl_store_range *ranges,
                                   size_t *count, bool *few, pawl_fault *fault)
{
    const condition *best = NULL;
    uint64_t best_rows = UINT64_MAX;
    pawl_status status = PAWL_OK;
    *count = 0;
    *few = false;
    for (size_t i = 0; filter != NULL && i < filter->count && status == PAWL_OK; i++) {
        const condition *asked = &filter->conditions[i];
        if (!asked->must || operands_of(asked) > 0 || asked->operation == PAWL_CONDITION_NOT_EQUAL)
            continue;
        uint64_t rows = 0;
        size_t parts = ranges_of(asked, ranges);
        for (size_t part = 0; part < parts && status == PAWL_OK; part++)
            status = count_rows(kv, &ranges[part], &rows, fault);
        /* Of two that lead to many rows, the one whose rows are sorted by number. */
        bool better = rows < best_rows ||
                      (best != NULL && rows == best_rows && ranges[0].equal && best->operation != PAWL_CONDITION_EQUAL);
        if (status == PAWL_OK && better) {
            best = asked;
            best_rows = rows;
        }
    }
    if (status == PAWL_OK && best != NULL) {
        *count = ranges_of(best, ranges);
        *few = best_rows < GUESS_ROWS_MAX;
    }
    return status;
}
