/* generated.c: no bad one: inputs can be made from its schema, and it gives them back. */
#define SCHEMA                                                                                                         \
    "{\"type\":\"object\",\"required\":[\"name\",\"count\",\"price\",\"kind\",\"lines\",\"where\",\"flag\"],"          \
    "\"additionalProperties\":false,\"definitions\":{\"place\":{\"type\":\"object\",\"required\":[\"zip\"],"           \
    "\"properties\":{\"zip\":{\"type\":\"string\",\"minLength\":5,\"maxLength\":5}}}},\"properties\":{"                \
    "\"name\":{\"type\":\"string\",\"minLength\":12},\"count\":{\"type\":\"integer\",\"minimum\":7,\"maximum\":9},"    \
    "\"price\":{\"type\":\"number\",\"exclusiveMinimum\":2.5},\"kind\":{\"enum\":[\"small\",\"large\"]},"              \
    "\"lines\":{\"type\":\"array\",\"minItems\":2,\"items\":{\"type\":[\"integer\",\"null\"],\"maximum\":0}},"         \
    "\"where\":{\"$ref\":\"#/definitions/place\"},\"flag\":{\"type\":\"boolean\"}}}"
#define PARTS                                                                                                          \
    "\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"good.effect\",\"outcome\":\"idempotent\",\"input_"                \
    "schema\":" SCHEMA ",\"output_schema\":" SCHEMA "}]"
#include "base.h"
HOSTILE;
