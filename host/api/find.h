/* find.h: where the server of a profile is to be found. Reads the profile; opens nothing else. [any] */
#ifndef PAWL_API_FIND_H
#define PAWL_API_FIND_H

#include <pawl/error.h>

typedef struct pawl_server_place {
    char name[128];   /* of the profile */
    char socket[256]; /* absolute */
    char data[4096];  /* the data directory, absolute */
} pawl_server_place;

/** Errors: those of the profile (code profile.*), every problem on a line of the message as far as there is room. */
pawl_status pawl_api_find_server(const char *profile_path, pawl_server_place *ret, pawl_error *error);

#endif
