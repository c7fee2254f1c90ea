/* profile_fuzz.c: YAML text to a profile. A profile exactly when there is no problem; every problem has a code, a
 * message and a place, in order; and the description of a good profile is that profile again. */
#include "fuzz.h"

#include "host/profile/profile.h"

#include <string.h>

/* libfyaml forgets the buffer of a long text when it meets a syntax error behind it; a profile is read once, and
 * nothing here can give it back. What Pawl itself allocates is still looked for. */
const char *__lsan_default_suppressions(void); // NOLINT(bugprone-reserved-identifier): the sanitizer's own name
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so\n";
}

static pawl_status parse(const char *text, size_t size, pawl_profile **ret, pawl_problem_list *problems)
{
    return pawl_profile_parse(text, size, "fuzz.yaml", "/base", PAWL_PROFILE_NO_FILES, ret, problems);
}

static void check_description(const pawl_profile *profile)
{
    pawl_profile *again = NULL;
    pawl_problem_list problems = {0};
    json_t *first = pawl_profile_describe(profile);
    FUZZ_CHECK(first != NULL);
    char *text = json_dumps(first, JSON_INDENT(1));
    FUZZ_CHECK(text != NULL);
    FUZZ_CHECK(parse(text, strlen(text), &again, &problems) == PAWL_OK);
    json_t *second = pawl_profile_describe(again);
    FUZZ_CHECK(json_equal(first, second));
    json_decref(first);
    json_decref(second);
    free(text);
    pawl_profile_free(again);
    pawl_problems_free(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = parse((const char *)data, size, &profile, &problems);
    FUZZ_CHECK((status == PAWL_OK) == (profile != NULL));
    FUZZ_CHECK((status == PAWL_OK) == (problems.count == 0));
    for (size_t i = 0; i < problems.count; i++) {
        const pawl_problem *problem = &problems.items[i];
        FUZZ_CHECK(strncmp(problem->code, "profile.", 8) == 0 && problem->message[0] != '\0');
        FUZZ_CHECK(problem->place.line >= 1 && problem->place.column >= 1);
        FUZZ_CHECK(i == 0 || problems.items[i - 1].place.line <= problem->place.line);
    }
    if (profile != NULL)
        check_description(profile);
    char *text = pawl_problems_text(&problems);
    FUZZ_CHECK(text != NULL && (problems.count == 0 || text[strlen(text) - 1] == '\n'));
    free(text);
    pawl_profile_free(profile);
    pawl_problems_free(&problems);
    return 0;
}
