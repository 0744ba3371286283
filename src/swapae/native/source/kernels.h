// The C interface of the kernels. Tensors are float32, dense, NHWC.
#pragma once

#include <cstdint>

extern "C" {

// A 3×3 convolution of stride 1, x [B, H, W, C] → y [B, H + 2·pad − 2, W + 2·pad − 2, K], and what follows it:
// y = gain · lrelu(scale ∗ (x · in_scale) + noise_weight · noise + bias) + residual_gain · residual.
struct swapae_conv3x3 {
    const float *x;
    const float *weights;    // as swapae_conv3x3_pack makes them
    float *y;
    float *workspace;
    const float *in_scale;   // [B, C] or null
    const float *bias;       // [K] or null
    const float *noise;      // [B or 1, H', W'] or null
    const float *residual;   // [B, H', W', K] or null
    int64_t workspace_floats;
    int64_t batch, height, width, in_channels, out_channels;
    int64_t pad;             // 0, 1 or 2 pixels on every side
    int64_t reflect;         // by reflection rather than by zeros
    int64_t noise_batch;     // 1 or B
    float noise_weight, slope, gain, residual_gain;
    int32_t threads;
};

// The gradient of its weight: x [B, H, W, C], grad_y [B, H', W', K] → grad_w [K, C, 3, 3], times scale.
struct swapae_conv3x3_grad {
    const float *x;
    const float *grad_y;
    float *grad_w;
    float *workspace;
    int64_t workspace_floats;
    int64_t batch, height, width, in_channels, out_channels;
    int64_t pad;
    float scale;
    int32_t threads;
};

// The weight [K, C, 3, 3] of the convolution, times scale, as the kernel reads it. `transposed` packs the
// weight of the adjoint instead: from [C, K, 3, 3], turned by 180°.
struct swapae_conv3x3_pack {
    const float *weight;
    float *packed;
    int64_t in_channels, out_channels;
    int64_t transposed;
    float scale;
    int32_t threads;
};

// A sparse matrix [rows, size of the input], in compressed rows: row i has entries begin[i] … begin[i + 1].
struct swapae_lines {
    const int32_t *begin;
    const int32_t *index;
    const float *weight;
    int64_t rows;
};

// Resampling of rows and columns by sparse matrices, x [B, H, W, C] → y [B, H', W', C], and what follows it:
// y = gain · lrelu(vertical · x · horizontalᵀ + noise_weight · noise + bias).
struct swapae_resample {
    const float *x;
    float *y;
    float *workspace;        // [threads, W, C]
    const float *bias;       // [C] or null
    const float *noise;      // [B or 1, H', W'] or null
    swapae_lines vertical, horizontal;
    int64_t batch, height, width, channels;
    int64_t noise_batch;     // 1 or B
    float noise_weight, slope, gain;
    int32_t threads;
};

// y = gain · lrelu(x + bias), [pixels, C]; x and y may be one.
struct swapae_activate {
    const float *x;
    const float *bias;  // [C] or null
    float *y;
    int64_t pixels, channels;
    float slope, gain;
    int32_t threads;
};

// Its derivative, from the output y: grad_x = (grad_y + shift) · (y > 0 ? gain : gain · slope), and the sum
// of grad_x over pixels.
struct swapae_activate_grad {
    const float *grad_y;
    const float *shift;     // [C] or null
    const float *y;
    float *grad_x;
    float *grad_bias;       // [C] or null
    float *workspace;       // [activate_grad_slices(pixels), C], if there is a grad_bias
    int64_t pixels, channels;
    float slope, gain;
    int32_t threads;
};

struct swapae_kernels {
    const char *name;
    int64_t (*conv3x3_packed_floats)(int64_t in_channels, int64_t out_channels);
    int64_t (*conv3x3_workspace_floats)(int64_t in_channels, int64_t out_channels, int64_t tiles);
    int64_t (*conv3x3_grad_workspace_floats)(int64_t in_channels, int64_t out_channels, int64_t tiles);
    int64_t (*activate_grad_slices)(int64_t pixels);
    void (*conv3x3)(const swapae_conv3x3 *);
    void (*conv3x3_grad)(const swapae_conv3x3_grad *);
    void (*conv3x3_pack)(const swapae_conv3x3_pack *);
    void (*resample)(const swapae_resample *);
    void (*activate)(const swapae_activate *);
    void (*activate_grad)(const swapae_activate_grad *);
};
}

#define JOINED(isa, name) swapae_##isa##_##name
#define NAMED(isa, name) JOINED(isa, name)
