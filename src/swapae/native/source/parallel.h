// Running a function on several threads: those of torch's own OpenMP where it is given, or new ones.
#pragma once

#include <cstdint>

extern "C" {
typedef void (*gomp_parallel_t)(void (*)(void *), void *, unsigned, unsigned);
typedef int (*omp_query_t)();
}

void parallel_run(int threads, void (*body)(void *, int thread, int threads), void *data);

// Call `work(thread, threads)` once on each of the threads and wait for all. One thread takes the same way as
// many: were the work inlined here for it, the compiler could round that copy otherwise.
template <typename Work> void parallel(int threads, Work &&work) {
    parallel_run(
        threads, [](void *data, int thread, int count) { (*static_cast<Work *>(data))(thread, count); },
        &work);
}

// The part of 0 … total that is this thread's: [begin, end).
struct Share {
    int64_t begin, end;
    Share(int64_t total, int64_t thread, int64_t threads)
        : begin(total * thread / threads), end(total * (thread + 1) / threads) {}
};
