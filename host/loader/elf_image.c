/* elf_image.c: see elf_image.h. The file may be anything: it must never believe an offset, a length or a string before
 * libelf has checked it against the file. */
#include "elf_image.h"
#include "refuse.h"

#include <fcntl.h>
#include <gelf.h>
#include <gnu/libc-version.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRY_PREFIX "pawl_plugin_entry_v"

#if defined(__x86_64__)
enum { NATIVE_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { NATIVE_MACHINE = EM_AARCH64 };
#elif defined(__riscv)
enum { NATIVE_MACHINE = EM_RISCV };
#elif defined(__powerpc64__)
enum { NATIVE_MACHINE = EM_PPC64 };
#elif defined(__s390x__)
enum { NATIVE_MACHINE = EM_S390 };
#elif defined(__arm__)
enum { NATIVE_MACHINE = EM_ARM };
#elif defined(__i386__)
enum { NATIVE_MACHINE = EM_386 };
#else
#error "name this machine's ELF number here"
#endif
enum {
    NATIVE_CLASS = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32,
    NATIVE_ORDER = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB
};

static const struct {
    unsigned number;
    const char *name;
} machines[] = {{EM_X86_64, "x86-64"}, {EM_AARCH64, "aarch64"}, {EM_RISCV, "riscv"}, {EM_PPC64, "ppc64"},
                {EM_S390, "s390"},     {EM_ARM, "arm"},         {EM_386, "i386"}};

static void name_machine(unsigned number, char *text, size_t room)
{
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        if (machines[i].number == number) {
            snprintf(text, room, "%s", machines[i].name);
            return;
        }
    }
    snprintf(text, room, "machine %u", number);
}

/* ---- the dynamic symbol table -------------------------------------------------------------------------------------
 */

/* What the linker itself may have put there. */
static bool is_linkers_own(const char *name)
{
    static const char *const own[] = {"_init", "_fini", "_edata", "_end", "__bss_start", "__end__"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i], name) == 0)
            return true;
    return false;
}

static bool is_exported(const GElf_Sym *symbol)
{
    unsigned binding = GELF_ST_BIND(symbol->st_info);
    unsigned visibility = GELF_ST_VISIBILITY(symbol->st_other);
    /* SHN_ABS: names of symbol versions stand in the table as well */
    return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS && binding != STB_LOCAL &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

static void see_symbol(elf_image *image, const GElf_Sym *symbol, const char *name)
{
    if (name == NULL || !is_exported(symbol) || is_linkers_own(name))
        return;
    if (strcmp(name, PAWL_PLUGIN_ENTRY_SYMBOL) == 0 && GELF_ST_TYPE(symbol->st_info) == STT_FUNC) {
        image->has_entry = true;
        return;
    }
    /* a binary may serve hosts of another major, too */
    if (strncmp(name, ENTRY_PREFIX, strlen(ENTRY_PREFIX)) == 0 && GELF_ST_TYPE(symbol->st_info) == STT_FUNC) {
        snprintf(image->other_entry, sizeof image->other_entry, "%s", name);
        return;
    }
    if (image->extra_symbols++ == 0)
        snprintf(image->extra_symbol, sizeof image->extra_symbol, "%s", name);
}

static void read_symbols(elf_image *image, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Sym symbol;
    image->is_shared_object = true;
    for (int i = 1; data != NULL && gelf_getsym(data, i, &symbol) != NULL; i++)
        see_symbol(image, &symbol, elf_strptr(elf, header->sh_link, symbol.st_name));
}

/* ---- the dynamic section ------------------------------------------------------------------------------------------
 */

static bool append_word(char **words, const char *word)
{
    char *joined = NULL;
    if (word == NULL)
        return true;
    if (asprintf(&joined, "%s%s%s", *words == NULL ? "" : *words, *words == NULL ? "" : " ", word) < 0)
        return false;
    free(*words);
    *words = joined;
    return true;
}

static bool read_dynamic(elf_image *image, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Dyn entry;
    bool good = true;
    for (int i = 0; good && data != NULL && gelf_getdyn(data, i, &entry) != NULL && entry.d_tag != DT_NULL; i++) {
        if (entry.d_tag == DT_TEXTREL || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_TEXTREL) != 0))
            image->text_relocations = true;
        if (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_STATIC_TLS) != 0)
            image->static_tls = true;
        if (entry.d_tag == DT_NEEDED)
            good = append_word(&image->needed, elf_strptr(elf, header->sh_link, (size_t)entry.d_un.d_val));
        if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH)
            good = append_word(&image->run_path, elf_strptr(elf, header->sh_link, (size_t)entry.d_un.d_val));
    }
    return good;
}

/* ---- needed versions of glibc -------------------------------------------------------------------------------------
 */

/* "2.34" as a number to compare; 0 when it is not one (GLIBC_PRIVATE, GLIBC_ABI_DT_RELR). */
static unsigned long version_number(const char *text)
{
    unsigned major, minor = 0, patch = 0;
    if (sscanf(text, "%u.%u.%u", &major, &minor, &patch) < 2)
        return 0;
    return major * 1000000ul + minor * 1000ul + patch;
}

static void see_version(elf_image *image, const char *name)
{
    static const char prefix[] = "GLIBC_";
    if (name == NULL || strncmp(name, prefix, sizeof prefix - 1) != 0)
        return;
    const char *version = name + sizeof prefix - 1;
    if (version_number(version) > version_number(image->glibc_needed))
        snprintf(image->glibc_needed, sizeof image->glibc_needed, "%s", version);
}

/* A place in the section that a relative step leads to; -1, which libelf refuses, when it leaves the section. */
static int step_by(int offset, uint32_t step)
{
    int64_t place = (int64_t)offset + step;
    return place > INT_MAX ? -1 : (int)place;
}

static void read_needed_versions(elf_image *image, Elf *elf, const GElf_Shdr *header, Elf_Data *data, int offset,
                                 const GElf_Verneed *need)
{
    GElf_Vernaux version;
    int inner = step_by(offset, need->vn_aux);
    for (unsigned i = 0; i < need->vn_cnt && gelf_getvernaux(data, inner, &version) != NULL; i++) {
        see_version(image, elf_strptr(elf, header->sh_link, version.vna_name));
        if (version.vna_next == 0)
            break;
        inner = step_by(inner, version.vna_next);
    }
}

static void read_versions(elf_image *image, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Verneed need;
    int offset = 0;
    for (unsigned left = header->sh_info; left > 0 && data != NULL && gelf_getverneed(data, offset, &need) != NULL;
         left--) {
        read_needed_versions(image, elf, header, data, offset, &need);
        if (need.vn_next == 0)
            break;
        offset = step_by(offset, need.vn_next);
    }
}

/* ---- program headers: stack and notes -----------------------------------------------------------------------------
 */

static bool read_notes(elf_image *image, Elf *elf, const GElf_Phdr *segment)
{
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)segment->p_offset, segment->p_filesz,
                                          segment->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    GElf_Nhdr note;
    size_t name, descriptor;
    size_t offset = 0;
    while (data != NULL && (offset = gelf_getnote(data, offset, &note, &name, &descriptor)) > 0) {
        const char *bytes = data->d_buf;
        if (note.n_type != PAWL_NOTE_TYPE_MANIFEST || note.n_namesz != sizeof PAWL_NOTE_NAME ||
            memcmp(bytes + name, PAWL_NOTE_NAME, sizeof PAWL_NOTE_NAME) != 0)
            continue;
        if (image->manifest_notes++ > 0)
            continue;
        image->manifest = malloc((size_t)note.n_descsz + 1);
        if (image->manifest == NULL)
            return false;
        memcpy(image->manifest, bytes + descriptor, note.n_descsz);
        image->manifest[note.n_descsz] = '\0';
        image->manifest_size = note.n_descsz;
    }
    return true;
}

static bool read_segments(elf_image *image, Elf *elf)
{
    size_t count = 0;
    GElf_Phdr segment;
    image->exec_stack = true; /* until a segment says otherwise */
    if (elf_getphdrnum(elf, &count) != 0)
        return true;
    for (size_t i = 0; i < count && gelf_getphdr(elf, (int)i, &segment) != NULL; i++) {
        if (segment.p_type == PT_GNU_STACK)
            image->exec_stack = (segment.p_flags & PF_X) != 0;
        if (segment.p_type == PT_NOTE && !read_notes(image, elf, &segment))
            return false;
    }
    return true;
}

static bool read_sections(elf_image *image, Elf *elf)
{
    Elf_Scn *section = NULL;
    bool good = true;
    while (good && (section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL)
            continue;
        if (header.sh_type == SHT_DYNSYM)
            read_symbols(image, elf, section, &header);
        else if (header.sh_type == SHT_DYNAMIC)
            good = read_dynamic(image, elf, section, &header);
        else if (header.sh_type == SHT_GNU_verneed)
            read_versions(image, elf, section, &header);
    }
    return good;
}

static bool read_header(elf_image *image, Elf *elf)
{
    GElf_Ehdr header;
    if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL)
        return false;
    image->is_elf = header.e_type == ET_DYN;
    image->is_native = header.e_machine == NATIVE_MACHINE && header.e_ident[EI_CLASS] == NATIVE_CLASS &&
                       header.e_ident[EI_DATA] == NATIVE_ORDER;
    name_machine(header.e_machine, image->machine, sizeof image->machine);
    if (header.e_machine == NATIVE_MACHINE && !image->is_native)
        snprintf(image->machine, sizeof image->machine, "%s bits, %s-endian",
                 header.e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32",
                 header.e_ident[EI_DATA] == ELFDATA2LSB ? "little" : "big");
    return true;
}

pawl_status pawl_elf_image_read(int fd, elf_image *ret, pawl_error *error)
{
    memset(ret, 0, sizeof *ret);
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf == NULL)
        return PAWL_OK;
    bool good = true;
    if (read_header(ret, elf) && ret->is_elf)
        good = read_segments(ret, elf) && read_sections(ret, elf);
    elf_end(elf);
    return good ? PAWL_OK : pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
}

void pawl_elf_image_finish(elf_image *image)
{
    free(image->needed);
    free(image->run_path);
    free(image->manifest);
    memset(image, 0, sizeof *image);
}

/* ---- the verdict --------------------------------------------------------------------------------------------------
 */

static pawl_status judge_file(const elf_image *image, const char *path, pawl_error *error)
{
    char native[32];
    name_machine(NATIVE_MACHINE, native, sizeof native);
    if (!image->is_elf)
        return pawl_loader_refuse(
            error, "loader.not_elf", path, "is not an ELF shared object (%s); wanted a plugin's .so for %s",
            image->machine[0] == '\0' ? "it has no ELF header" : "it is a program or object file", native);
    if (!image->is_native)
        return pawl_loader_refuse(error, "loader.machine", path,
                                  "was built for %s; wanted %s, %s bits: get a build for it", image->machine, native,
                                  NATIVE_CLASS == ELFCLASS64 ? "64" : "32");
    if (!image->is_shared_object)
        return pawl_loader_refuse(error, "loader.not_elf", path,
                                  "has no dynamic symbol table that could be checked; wanted a shared object with its "
                                  "section headers");
    return PAWL_OK;
}

static pawl_status judge_interface(const elf_image *image, const char *path, pawl_error *error)
{
    if (!image->has_entry && image->other_entry[0] != '\0')
        return pawl_loader_refuse(error, "loader.abi_major", path,
                                  "exports %s; wanted %s, for the ABI major %u that this host has: get a build for it",
                                  image->other_entry, PAWL_PLUGIN_ENTRY_SYMBOL, PAWL_ABI_MAJOR);
    if (image->manifest_notes == 0)
        return pawl_loader_refuse(
            error, "loader.no_manifest", path,
            "has no manifest; wanted one ELF note named \"%s\" of type 0x%x: is this a Pawl plugin? "
            "PAWL_PLUGIN of pawl_plugin.h writes the note",
            PAWL_NOTE_NAME, PAWL_NOTE_TYPE_MANIFEST);
    if (image->manifest_notes > 1)
        return pawl_loader_refuse(error, "loader.manifest_invalid", path,
                                  "has %zu manifests; wanted one: link only one plugin into a shared object",
                                  image->manifest_notes);
    if (!image->has_entry)
        return pawl_loader_refuse(error, "loader.no_entry", path,
                                  "does not export the function %s: give it default visibility, as PAWL_PLUGIN does",
                                  PAWL_PLUGIN_ENTRY_SYMBOL);
    if (image->extra_symbols > 0)
        return pawl_loader_refuse(error, "loader.extra_symbols", path,
                                  "exports %zu more than its entry, such as %s; wanted none, since they could take the "
                                  "place of another library's: compile with -fvisibility=hidden, link with "
                                  "-Wl,--exclude-libs,ALL or a version script",
                                  image->extra_symbols, image->extra_symbol);
    return PAWL_OK;
}

pawl_status pawl_elf_image_judge(const elf_image *image, const char *path, pawl_error *error)
{
    pawl_status status = judge_file(image, path, error);
    if (status == PAWL_OK)
        status = judge_interface(image, path, error);
    if (status != PAWL_OK)
        return status;
    if (image->exec_stack)
        return pawl_loader_refuse(error, "loader.exec_stack", path,
                                  "asks for an executable stack; wanted none: link with -Wl,-z,noexecstack and give "
                                  "assembly files a .note.GNU-stack section");
    if (image->text_relocations)
        return pawl_loader_refuse(error, "loader.textrel", path,
                                  "has relocations in its code; wanted none: compile everything with -fPIC");
    if (image->static_tls)
        return pawl_loader_refuse(error, "loader.static_tls", path,
                                  "needs static thread-local storage, of which a running program has little; wanted "
                                  "none: do not use -ftls-model=initial-exec, nor link an allocator that does");
    const char *host = gnu_get_libc_version();
    if (version_number(image->glibc_needed) > version_number(host))
        return pawl_loader_refuse(error, "loader.glibc", path,
                                  "needs glibc %s; this machine has %s: build the plugin on an older system",
                                  image->glibc_needed, host);
    return PAWL_OK;
}
