// SPDX-License-Identifier: Apache-2.0
// Every function of the next allocator that the shim forwards to, as
// PW_NEXT_C(symbol, result, parameters, fallback) and PW_NEXT_CXX(same).
// A fallback (next.cc) stands in where nothing after the shim defines the
// symbol. Included by C++ and, for the names only, by assembly.
//
// PW_NEXT_CXX entries may appear late, with a dlopened libstdc++.

PW_NEXT_C(malloc, void*, (size_t), NoMemory)
PW_NEXT_C(calloc, void*, (size_t, size_t), NoMemory)
PW_NEXT_C(realloc, void*, (void*, size_t), NoMemory)
PW_NEXT_C(free, void, (void*), Ignore)
PW_NEXT_C(posix_memalign, int, (void**, size_t, size_t), NoMemoryCode)
PW_NEXT_C(aligned_alloc, void*, (size_t, size_t), NoMemory)
PW_NEXT_C(memalign, void*, (size_t, size_t), NoMemory)
PW_NEXT_C(valloc, void*, (size_t), NoMemory)
PW_NEXT_C(pvalloc, void*, (size_t), NoMemory)
PW_NEXT_C(malloc_usable_size, size_t, (void*), Zero)

PW_NEXT_CXX(_Znwm, void*, (size_t), NewByMalloc)
PW_NEXT_CXX(_Znam, void*, (size_t), NewByMalloc)
PW_NEXT_CXX(_ZnwmRKSt9nothrow_t, void*, (size_t, const void*), NewByMalloc)
PW_NEXT_CXX(_ZnamRKSt9nothrow_t, void*, (size_t, const void*), NewByMalloc)
PW_NEXT_CXX(_ZnwmSt11align_val_t, void*, (size_t, size_t), NewAligned)
PW_NEXT_CXX(_ZnamSt11align_val_t, void*, (size_t, size_t), NewAligned)
PW_NEXT_CXX(_ZnwmSt11align_val_tRKSt9nothrow_t, void*, (size_t, size_t, const void*), NewAligned)
PW_NEXT_CXX(_ZnamSt11align_val_tRKSt9nothrow_t, void*, (size_t, size_t, const void*), NewAligned)
PW_NEXT_CXX(_ZdlPv, void, (void*), DeleteByFree)
PW_NEXT_CXX(_ZdaPv, void, (void*), DeleteByFree)
PW_NEXT_CXX(_ZdlPvm, void, (void*, size_t), DeleteByFree)
PW_NEXT_CXX(_ZdaPvm, void, (void*, size_t), DeleteByFree)
PW_NEXT_CXX(_ZdlPvRKSt9nothrow_t, void, (void*, const void*), DeleteByFree)
PW_NEXT_CXX(_ZdaPvRKSt9nothrow_t, void, (void*, const void*), DeleteByFree)
PW_NEXT_CXX(_ZdlPvSt11align_val_t, void, (void*, size_t), DeleteByFree)
PW_NEXT_CXX(_ZdaPvSt11align_val_t, void, (void*, size_t), DeleteByFree)
PW_NEXT_CXX(_ZdlPvmSt11align_val_t, void, (void*, size_t, size_t), DeleteByFree)
PW_NEXT_CXX(_ZdaPvmSt11align_val_t, void, (void*, size_t, size_t), DeleteByFree)
PW_NEXT_CXX(_ZdlPvSt11align_val_tRKSt9nothrow_t, void, (void*, size_t, const void*), DeleteByFree)
PW_NEXT_CXX(_ZdaPvSt11align_val_tRKSt9nothrow_t, void, (void*, size_t, const void*), DeleteByFree)
