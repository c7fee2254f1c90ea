/* anchor.c: one exported function per ABI struct. The tables of the ABI are reached through `const void *`, which tells
 * a tool that compares binaries nothing; these functions make each struct visible to it. Nothing ever calls them. */
#include "pawl_abi.h"

#define STRUCT(type)                                                                                                   \
    PAWL_EXPORT void pawl_anchor_##type(const type *anchored);                                                         \
    PAWL_EXPORT void pawl_anchor_##type(const type *anchored)                                                          \
    {                                                                                                                  \
        (void)anchored;                                                                                                \
    }
#define MEMBER(type, member)
#include "members.h"
