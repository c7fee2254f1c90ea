/* schema.h: the one description of what a profile may hold: keys, kinds, ranges, defaults. The reader, the
 * description and the tests of the reference all go by it. Constant data only. Room of host/profile*.c only. */
#ifndef PAWL_HOST_PROFILE_SCHEMA_H
#define PAWL_HOST_PROFILE_SCHEMA_H

#include "host/profile/profile.h"

/** Kinds of keys, and the member each fills. */
typedef enum pawl_key_kind {
    PAWL_KEY_TEXT,        /* const char *, of a given form */
    PAWL_KEY_PATH,        /* const char *, absolute */
    PAWL_KEY_SHA256,      /* const char *, 64 lower-case hex digits */
    PAWL_KEY_DURATION,    /* uint64_t, nanoseconds */
    PAWL_KEY_SIZE,        /* uint64_t, bytes */
    PAWL_KEY_COUNT,       /* uint32_t */
    PAWL_KEY_DECIMAL,     /* double */
    PAWL_KEY_FLAG,        /* bool */
    PAWL_KEY_CHOICE,      /* uint32_t, the value of the word */
    PAWL_KEY_CHOICE_FLAG, /* bool, the value of the word */
    PAWL_KEY_CODES,       /* const char *const *, NULL-terminated */
    PAWL_KEY_CONFIG,      /* json_t *, an object */
    PAWL_KEY_FACET,       /* pawl_profile_facet, by the name of a store */
    PAWL_KEY_SECTION,     /* a struct in place */
    PAWL_KEY_MAP,         /* array of structs by name, and its count */
    PAWL_KEY_LIST         /* array of structs, and its count */
} pawl_key_kind;

/** What a name may be made of. */
typedef struct pawl_name_form {
    const char *first; /* characters allowed at the start; NULL: as in rest */
    const char *rest;  /* NULL: any printable text */
    size_t size_max;   /* bytes */
    const char *words; /* the same, for people: "a-z, 0-9, ..." */
} pawl_name_form;

typedef struct pawl_choice {
    const char *word; /* NULL ends the list */
    uint32_t value;
} pawl_choice;

typedef struct pawl_section pawl_section;

typedef struct pawl_key {
    const char *name; /* NULL ends the list */
    pawl_key_kind kind;
    size_t offset;       /* of the member in the section's struct */
    size_t count_offset; /* MAP, LIST: of the size_t */
    size_t place_offset; /* of a pawl_place for the value; 0: not kept */
    uint64_t min;        /* DURATION, SIZE, COUNT, DECIMAL, both inclusive */
    uint64_t max;
    const char *initial; /* the default as it would be written; NULL: none, or one computed after reading */
    bool required;
    bool optional_codes; /* CODES: an absent list is not an empty one */
    uint32_t set;        /* PAWL_SET_* bit of this member; 0: not tracked */
    const pawl_name_form *form;
    const pawl_choice *choices;
    const pawl_section *section; /* SECTION, MAP, LIST */
} pawl_key;

/** A mapping with known keys. */
struct pawl_section {
    const pawl_key *keys;       /* of an element that is a mapping itself */
    const pawl_key *value;      /* MAP: an element is this one value instead, and keys is NULL */
    size_t size;                /* MAP, LIST: of one element */
    size_t name_offset;         /* MAP: of the const char * for its name */
    size_t place_offset;        /* MAP, LIST: of the pawl_place of the element */
    size_t set_offset;          /* of the uint32_t with PAWL_SET_* bits; used when tracked */
    bool optional;              /* SECTION: counts only when it is written, with its defaults then */
    size_t written_offset;      /* optional: of the bool that says so */
    bool tracked;               /* it overrides something: only written members count, defaults are left out */
    const pawl_name_form *form; /* MAP: of names */
};

extern const pawl_section pawl_profile_section; /* the whole profile; its struct is pawl_profile */
extern const pawl_name_form pawl_code_form;     /* one of PAWL_KEY_CODES */

/** Call visit for every key, in order. path: "stores.NAME.provider", "plugins[].path". */
typedef void (*pawl_key_visit)(void *context, const char *path, const pawl_key *key);
void pawl_profile_schema_walk(pawl_key_visit visit, void *context);

bool pawl_name_fits(const pawl_name_form *form, const char *text, size_t size);

#endif
