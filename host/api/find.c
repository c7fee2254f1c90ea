/* find.c: see find.h. Never makes up a path: where the socket is, the profile's own rules say. */
#include "host/api/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/profile/profile.h"
#include "worker/base/error.h"

static pawl_status profile_failed(pawl_status status, const pawl_problem_list *problems, pawl_error *error)
{
    char *text = pawl_problems_text(problems);
    if (text != NULL && text[0] != '\0')
        text[strlen(text) - 1] = '\0'; /* its last newline */
    const char *code = problems->count > 0 ? problems->items[0].code : "profile.unreadable";
    pawl_error_set(error, status, code, "%s", text == NULL || text[0] == '\0' ? "the profile cannot be read" : text);
    free(text);
    return status;
}

pawl_status pawl_api_find_server(const char *profile_path, pawl_server_place *ret, pawl_error *error)
{
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = pawl_profile_load(profile_path, &profile, &problems);
    if (status != PAWL_OK) {
        profile_failed(status, &problems, error);
    } else {
        snprintf(ret->name, sizeof ret->name, "%s", profile->name);
        snprintf(ret->socket, sizeof ret->socket, "%s", profile->socket);
        snprintf(ret->data, sizeof ret->data, "%s", profile->data);
    }
    pawl_profile_free(profile);
    pawl_problems_free(&problems);
    return status;
}
