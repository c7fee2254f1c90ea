/* image_fuzz.c: the bytes of what claims to be a plugin's shared object: ELF facts, the note, the verdict. Reading them
 * twice tells the same, the texts are texts, and a refusal names the file and its rule. */
#include "fuzz.h"

#include "host/loader/elf_image.h"
#include "host/loader/manifest.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int file_of(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(size == 0 || write(fd, data, size) == (ssize_t)size);
    return fd;
}

static void check_texts(const elf_image *image, size_t size)
{
    FUZZ_CHECK(memchr(image->machine, '\0', sizeof image->machine) != NULL);
    FUZZ_CHECK(memchr(image->other_entry, '\0', sizeof image->other_entry) != NULL);
    FUZZ_CHECK(memchr(image->extra_symbol, '\0', sizeof image->extra_symbol) != NULL);
    FUZZ_CHECK(memchr(image->glibc_needed, '\0', sizeof image->glibc_needed) != NULL);
    FUZZ_CHECK((image->manifest == NULL) == (image->manifest_notes == 0));
    FUZZ_CHECK(image->manifest_size <= size);
    FUZZ_CHECK(image->manifest == NULL || image->manifest[image->manifest_size] == '\0');
}

static void check_same(int fd, const elf_image *image)
{
    elf_image again;
    FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
    FUZZ_CHECK(pawl_elf_image_read(fd, &again, NULL) == PAWL_OK);
    FUZZ_CHECK(again.is_elf == image->is_elf && again.has_entry == image->has_entry);
    FUZZ_CHECK(again.extra_symbols == image->extra_symbols && again.manifest_size == image->manifest_size);
    FUZZ_CHECK(image->manifest_size == 0 || memcmp(again.manifest, image->manifest, image->manifest_size) == 0);
    pawl_elf_image_finish(&again);
}

static void read_manifest(const elf_image *image)
{
    pawl_error error = {0};
    pawl_manifest *manifest = NULL;
    (void)pawl_manifest_parse((pawl_bytes){image->manifest, image->manifest_size}, &manifest, &error);
    pawl_manifest_destroy(manifest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    elf_image image;
    pawl_error error = {0};
    int fd = file_of(data, size);
    FUZZ_CHECK(pawl_elf_image_read(fd, &image, &error) == PAWL_OK);
    check_texts(&image, size);
    check_same(fd, &image);
    pawl_status status = pawl_elf_image_judge(&image, "fuzz.so", &error);
    FUZZ_CHECK(status != PAWL_OK || (image.is_elf && image.manifest_notes == 1 && image.has_entry));
    if (status != PAWL_OK)
        FUZZ_CHECK(strncmp(error.message, "fuzz.so: ", 9) == 0 && strstr(error.message, "[rule A-") != NULL);
    if (image.manifest != NULL)
        read_manifest(&image);
    pawl_elf_image_finish(&image);
    (void)close(fd);
    return 0;
}
