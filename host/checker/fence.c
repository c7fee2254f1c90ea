/* fence.c: see fence.h. A mapping that was taken back is kept, without access, so that nothing else comes to stand
 * there. */
#include "fence.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static fence make_plain(pawl_bytes bytes)
{
    char *copy = malloc(bytes.size + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return (fence){{copy, bytes.size}, copy, 0};
}

fence lab_fence_make(pawl_bytes bytes, bool fenced)
{
    if (bytes.size == 0)
        return (fence){{NULL, 0}, NULL, 0};
    if (!fenced)
        return make_plain(bytes);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t used = (bytes.size + page - 1) / page * page;
    char *base = mmap(NULL, used + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        abort();
    char *copy = base + used - bytes.size;
    memcpy(copy, bytes.data, bytes.size);
    if (mprotect(base, used, PROT_READ) != 0 || mprotect(base + used, page, PROT_NONE) != 0)
        abort();
    return (fence){{copy, bytes.size}, base, used + page};
}

void lab_fence_drop(fence *f)
{
    if (f->base == NULL)
        return;
    if (f->mapped == 0)
        free(f->base);
    else if (mprotect(f->base, f->mapped, PROT_NONE) != 0)
        abort();
    *f = (fence){{NULL, 0}, NULL, 0};
}
