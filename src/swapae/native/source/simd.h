// Vectors of the processor this file is compiled for, written with the compiler's own vector types.
//
// Every kernel source is compiled once for each entry of ISA_FLAGS in build.py, in a namespace of its own.
// VL is the number of floats in a vector.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#define ISA avx512
constexpr int VL = 16, TILE_ROWS = 12, GRAD_ROWS = 8;
#elif defined(__AVX2__)
#define ISA avx2
constexpr int VL = 8, TILE_ROWS = 6, GRAD_ROWS = 4;
#else
#define ISA portable
constexpr int VL = 4, TILE_ROWS = 6, GRAD_ROWS = 4;
#endif

typedef float vec __attribute__((vector_size(VL * sizeof(float))));
typedef float unaligned_vec __attribute__((vector_size(VL * sizeof(float)), aligned(4), may_alias));

static inline vec load(const float *from) { return *reinterpret_cast<const unaligned_vec *>(from); }
static inline void store(float *to, vec v) { *reinterpret_cast<unaligned_vec *>(to) = v; }
static inline vec splat(float value) { return vec{} + value; }

// The first `count` floats, and zeros; or a whole vector, at full speed.
static inline vec load(const float *from, int64_t count) {
    if (count >= VL) return load(from);
    float lanes[VL] = {};
    memcpy(lanes, from, count * sizeof(float));
    return load(lanes);
}
static inline void store(float *to, vec v, int64_t count) {
    if (count >= VL) return store(to, v);
    float lanes[VL];
    store(lanes, v);
    memcpy(to, lanes, count * sizeof(float));
}

// max(v, slope·v), leaky ReLU for slopes up to 1.
static inline vec leaky(vec v, float slope) {
    vec low = v * slope;
    return v > low ? v : low;
}

static inline int64_t chunks(int64_t channels) { return (channels + VL - 1) / VL; }
