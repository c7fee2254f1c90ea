/* fixture.c: see fixture.h. Never leaves anything in the temporary directory. */
#include "fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

pawl_status parse(const char *text, pawl_profile **ret, pawl_problem_list *problems)
{
    return pawl_profile_parse(text, strlen(text), "shop.yaml", "/base", PAWL_PROFILE_NO_FILES, ret, problems);
}

pawl_profile *parse_good(const char *text)
{
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = parse(text, &profile, &problems);
    pawl_problems_print(&problems, stderr);
    assert_int_equal(problems.count, 0);
    assert_int_equal(status, PAWL_OK);
    assert_non_null(profile);
    pawl_problems_free(&problems);
    return profile;
}

char *make_directory(void)
{
    const char *base = getenv("TMPDIR");
    char *path = NULL;
    assert_true(asprintf(&path, "%s/pawl-profile-XXXXXX", base && *base ? base : "/tmp") > 0);
    assert_non_null(mkdtemp(path));
    return path;
}

static int remove_one(const char *path, const struct stat *found, int type, struct FTW *walk)
{
    (void)found;
    (void)type;
    (void)walk;
    return remove(path);
}

void remove_directory(char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

char *write_file(const char *directory, const char *name, const char *content, size_t size, unsigned mode)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, size), (ssize_t)size);
    assert_int_equal(fchmod(file, mode), 0);
    assert_int_equal(close(file), 0);
    return path;
}

char *read_whole_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("cannot open %s", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    text[size] = 0;
    if (ret_size)
        *ret_size = (size_t)size;
    (void)fclose(file);
    return text;
}
