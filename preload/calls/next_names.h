// SPDX-License-Identifier: Apache-2.0
// Every function that the shim forwards to, as
// PW_NEXT(kind, symbol, result, parameters, fallback). A fallback (next.cc)
// stands in where nothing after the shim defines the symbol. Included by C++
// and, for the names only, by assembly.
//
// Kinds: ALLOCATE, NEW and DELETE have an entry in the pass table (pass.h);
// NEW and DELETE may appear late, with a dlopened C++ library, and so may LATE;
// PLAIN is all else.

PW_NEXT(ALLOCATE, malloc, void*, (size_t), NoMemory)
PW_NEXT(ALLOCATE, calloc, void*, (size_t, size_t), NoMemory)
PW_NEXT(ALLOCATE, realloc, void*, (void*, size_t), NoMemory)
PW_NEXT(ALLOCATE, posix_memalign, int, (void**, size_t, size_t), NoMemoryCode)
PW_NEXT(ALLOCATE, aligned_alloc, void*, (size_t, size_t), NoMemory)
PW_NEXT(ALLOCATE, memalign, void*, (size_t, size_t), NoMemory)
PW_NEXT(ALLOCATE, valloc, void*, (size_t), NoMemory)
PW_NEXT(ALLOCATE, pvalloc, void*, (size_t), NoMemory)

PW_NEXT(PLAIN, free, void, (void*), Ignore)
PW_NEXT(PLAIN, malloc_usable_size, size_t, (void*), Zero)
PW_NEXT(PLAIN, __libc_free, void, (void*), Free)
PW_NEXT(PLAIN, __libc_realloc, void*, (void*, size_t), Realloc)

PW_NEXT(LATE, dlopen, void*, (const char*, int), NoObject)
PW_NEXT(LATE, dlmopen, void*, (long, const char*, int), NoObject)

PW_NEXT(NEW, _Znwm, void*, (size_t), NewByMalloc)
PW_NEXT(NEW, _Znam, void*, (size_t), NewByMalloc)
PW_NEXT(NEW, _ZnwmRKSt9nothrow_t, void*, (size_t, const void*), NewByMalloc)
PW_NEXT(NEW, _ZnamRKSt9nothrow_t, void*, (size_t, const void*), NewByMalloc)
PW_NEXT(NEW, _ZnwmSt11align_val_t, void*, (size_t, size_t), NewAligned)
PW_NEXT(NEW, _ZnamSt11align_val_t, void*, (size_t, size_t), NewAligned)
PW_NEXT(NEW, _ZnwmSt11align_val_tRKSt9nothrow_t, void*, (size_t, size_t, const void*), NewAligned)
PW_NEXT(NEW, _ZnamSt11align_val_tRKSt9nothrow_t, void*, (size_t, size_t, const void*), NewAligned)

PW_NEXT(DELETE, _ZdlPv, void, (void*), Free)
PW_NEXT(DELETE, _ZdaPv, void, (void*), Free)
PW_NEXT(DELETE, _ZdlPvm, void, (void*, size_t), Free)
PW_NEXT(DELETE, _ZdaPvm, void, (void*, size_t), Free)
PW_NEXT(DELETE, _ZdlPvRKSt9nothrow_t, void, (void*, const void*), Free)
PW_NEXT(DELETE, _ZdaPvRKSt9nothrow_t, void, (void*, const void*), Free)
PW_NEXT(DELETE, _ZdlPvSt11align_val_t, void, (void*, size_t), Free)
PW_NEXT(DELETE, _ZdaPvSt11align_val_t, void, (void*, size_t), Free)
PW_NEXT(DELETE, _ZdlPvmSt11align_val_t, void, (void*, size_t, size_t), Free)
PW_NEXT(DELETE, _ZdaPvmSt11align_val_t, void, (void*, size_t, size_t), Free)
PW_NEXT(DELETE, _ZdlPvSt11align_val_tRKSt9nothrow_t, void, (void*, size_t, const void*), Free)
PW_NEXT(DELETE, _ZdaPvSt11align_val_tRKSt9nothrow_t, void, (void*, size_t, const void*), Free)
// Sized and nothrow: in no standard, but some allocators have them.
PW_NEXT(DELETE, _ZdlPvmRKSt9nothrow_t, void, (void*, size_t, const void*), Free)
PW_NEXT(DELETE, _ZdaPvmRKSt9nothrow_t, void, (void*, size_t, const void*), Free)
PW_NEXT(DELETE, _ZdlPvmSt11align_val_tRKSt9nothrow_t, void, (void*, size_t, size_t, const void*),
        Free)
PW_NEXT(DELETE, _ZdaPvmSt11align_val_tRKSt9nothrow_t, void, (void*, size_t, size_t, const void*),
        Free)
