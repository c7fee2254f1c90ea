/* power_image.h: what is on a device after a power failure, made from what power_loss.c saw. The program that had the
 * directory must be dead. Owns the shadow directory; a test's thread only. Everything fails the running test when it
 * cannot be done. */
#ifndef PAWL_TEST_DISK_POWER_IMAGE_H
#define PAWL_TEST_DISK_POWER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* What was written and not flushed may be there in part. */
enum power_tail {
    POWER_NOTHING, /* none of it */
    POWER_TORN,    /* some of its beginning */
    POWER_ZEROS,   /* the length is there, the content is not */
    POWER_GARBAGE, /* the length is there, the content is anything */
    POWER_PAGES,   /* some of its pages, in no order; zeros between */
    POWER_TAILS
};

/** What is in the store's directory now is durable; power_loss.c finds the rest. The directory need not exist yet. */
void power_image_prepare(const char *store, const char *shadow);
/** The power fails: put the directory back. Names are what they were at its last flush, or, half of the time, some
 *  later changes of names in their order, too. @return how many bytes were written and not flushed */
uint64_t power_image_cut(const char *store, const char *shadow, enum power_tail tail, unsigned *seed);
/** Remove a directory and everything in it. */
void power_image_remove(const char *directory);

#endif
