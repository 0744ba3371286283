// Which kernels this processor runs, and on whose threads.

#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels.h"
#include "parallel.h"

extern "C" {
extern const swapae_kernels swapae_portable_kernels;
#if defined(__x86_64__)
extern const swapae_kernels swapae_avx2_kernels, swapae_avx512_kernels;
#endif
}

static gomp_parallel_t gomp_parallel = nullptr;
static omp_query_t thread_num = nullptr, num_threads = nullptr;

namespace {
struct Call {
    void (*body)(void *, int, int);
    void *data;
};
}  // namespace

void parallel_run(int threads, void (*body)(void *, int, int), void *data) {
    if (threads <= 1) return body(data, 0, 1);
    if (gomp_parallel) {
        Call call{body, data};
        gomp_parallel(
            [](void *given) {
                Call *one = static_cast<Call *>(given);
                one->body(one->data, thread_num(), num_threads());  // it may give fewer than asked for
            },
            &call, threads, 0);
        return;
    }
    std::vector<std::thread> others;
    int made = 1;
    try {
        for (; made < threads; ++made) others.emplace_back(body, data, made, threads);
    } catch (const std::system_error &) {  // no more threads to be had: do their share here
        for (int thread = made; thread < threads; ++thread) body(data, thread, threads);
    }
    body(data, 0, threads);
    for (std::thread &other : others) other.join();
}

extern "C" {

// What the library was built from, against one left over from an older version (build.py gives it).
extern const char swapae_interface[];
const char swapae_interface[] = SWAPAE_INTERFACE;

// Run on the threads of this OpenMP (libgomp's entry points); without them, threads are made for each call.
void swapae_use_openmp(gomp_parallel_t run, omp_query_t number, omp_query_t count) {
    gomp_parallel = run;
    thread_num = number;
    num_threads = count;
}

// The kernels called `name`, or with null the best that this processor runs; null if it does not run them.
const swapae_kernels *swapae_find_kernels(const char *name) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (has_avx512 && (!name || !strcmp(name, "avx512"))) return &swapae_avx512_kernels;
    if (has_avx2 && (!name || !strcmp(name, "avx2"))) return &swapae_avx2_kernels;
#endif
    return !name || !strcmp(name, "portable") ? &swapae_portable_kernels : nullptr;
}
}
