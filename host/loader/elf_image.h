/* elf_image.h: what the file format says about a plugin, read without running any of its code: facts first, verdict
 * second. Internal to the loader. [loader] */
#ifndef PAWL_HOST_LOADER_ELF_IMAGE_H
#define PAWL_HOST_LOADER_ELF_IMAGE_H

#include "worker/base/error.h"

#include <stdbool.h>

typedef struct elf_image {
    bool is_elf;
    bool is_shared_object; /* ET_DYN, with sections and a dynamic symbol table */
    bool is_native;        /* class, byte order and machine are this program's */
    char machine[32];
    bool exec_stack; /* asks for one, or says nothing, which means the same */
    bool text_relocations;
    bool static_tls;
    bool has_entry;         /* pawl_plugin_entry_v1 */
    char other_entry[64];   /* an entry of another major, or "" */
    size_t extra_symbols;   /* exported beside the entry */
    char extra_symbol[128]; /* one of them */
    char glibc_needed[16];  /* the highest version it needs; "" for none */
    char *needed;           /* libraries, separated by spaces; NULL for none */
    char *run_path;         /* NULL for none */
    size_t manifest_notes;  /* how many there are; one is wanted */
    char *manifest;         /* of the first; not NUL-terminated by contract */
    size_t manifest_size;
} elf_image;

/** Read the facts of an open file. Never fails for what the file holds, only when memory runs out (PAWL_E_NOMEM).
 *  Finish the image in either case. */
pawl_status pawl_elf_image_read(int fd, elf_image *ret, pawl_error *error);
void pawl_elf_image_finish(elf_image *image);

/** PAWL_OK, or the first reason not to load such a file: loader.not_elf, machine, no_manifest, abi_major, no_entry,
 *  extra_symbols, exec_stack, textrel, static_tls, glibc. */
pawl_status pawl_elf_image_judge(const elf_image *image, const char *path, pawl_error *error);

#endif
