/* crash_point.h: places where a build made for it dies on purpose, so that a test can sweep over all of them. In every
 * other build (PAWL_CRASH_POINTS is off, as by default) a crash point is nothing: not one instruction remains.
 *
 * A seam that every floor may see, and that sees none of them. It must never do anything but count and die.
 *
 * The points: before and after every write of the store ("store-before": it will not be there, "store-after": it is
 * there and nobody has been told), when an effect is about to be called ("effect-start"), and when it has ended and
 * nothing of that is recorded yet ("effect-end").
 *
 * PAWL_CRASH_POINT=17 in the environment: die at the seventeenth point, whatever its kind. PAWL_CRASH_POINT=
 * store-after:17: at the seventeenth of that kind. */
#ifndef PAWL_SEAM_CRASH_POINT_H
#define PAWL_SEAM_CRASH_POINT_H

#define PAWL_CRASH_STATUS 86 /* the exit status of a program that died so */

#ifdef PAWL_CRASH_POINTS
/** Count one point; when it is the chosen one, end the program with _exit, cleaning up nothing. [any] */
void pawl_crash_point(const char *kind);
/** How many points were passed so far, of all kinds. [any] */
unsigned pawl_crash_points_passed(void);
#define PAWL_CRASH_POINT(kind) pawl_crash_point(kind)
#else
#define PAWL_CRASH_POINT(kind) ((void)0)
#endif

#endif
