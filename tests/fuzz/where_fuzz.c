/* where_fuzz.c: expressions over search attributes. Whatever is written, what comes out are conditions that a store
 * takes: well formed in postfix order, with JSON values; a refusal says why. */
#include "fuzz.h"

#include "host/operation/where.h"

#include <stdlib.h>
#include <string.h>

static const pawl_attribute attributes[] = {{"customer", PAWL_ATTRIBUTE_KEYWORD},
                                            {"amount", PAWL_ATTRIBUTE_INTEGER},
                                            {"rate", PAWL_ATTRIBUTE_NUMBER},
                                            {"open", PAWL_ATTRIBUTE_BOOLEAN},
                                            {"due", PAWL_ATTRIBUTE_TIME}};
static const pawl_attribute_schema schema = {attributes, 5};

static void check(const pawl_where *where)
{
    size_t depth = 0;
    for (size_t i = 0; i < where->count; i++) {
        const pawl_condition *one = &where->conditions[i];
        if (one->operation >= PAWL_CONDITION_AND) {
            size_t takes = one->operation == PAWL_CONDITION_NOT ? 1 : 2;
            FUZZ_CHECK(depth >= takes);
            depth -= takes - 1;
            continue;
        }
        depth++;
        json_t *value = json_loadb(one->value.data, one->value.size, JSON_DECODE_ANY, NULL);
        FUZZ_CHECK(value != NULL && one->name.size > 0);
        FUZZ_CHECK(json_is_array(value) == (one->operation == PAWL_CONDITION_IN));
        json_decref(value);
    }
    FUZZ_CHECK(depth == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pawl_where where = {0};
    pawl_error error = {0};
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (pawl_where_read(text, &schema, &where, &error) == PAWL_OK)
        check(&where);
    else
        FUZZ_CHECK(error.status < 0 && error.code[0] != '\0' && error.message[0] != '\0');
    pawl_where_finish(&where);
    free(text);
    return 0;
}
