// Bias, leaky ReLU and gain, and their derivative, each in one pass over memory.

#include "kernels.h"
#include "parallel.h"
#include "simd.h"

namespace ISA {

void activate(const swapae_activate *given) {
    const swapae_activate &op = *given;
    const int64_t C = op.channels;
    parallel(op.threads, [&](int thread, int threads) {
        for (Share share(op.pixels, thread, threads); share.begin < share.end; ++share.begin) {
            const float *x = op.x + share.begin * C;
            float *y = op.y + share.begin * C;
            for (int64_t c = 0; c < C; c += VL) {
                vec v = load(x + c, C - c);
                if (op.bias) v += load(op.bias + c, C - c);
                store(y + c, leaky(v, op.slope) * op.gain, C - c);
            }
        }
    });
}

// The sum of each channel is taken over a fixed number of slices, whatever the threads: so it is the same
// with any number of them.
int64_t activate_grad_slices(int64_t pixels) { return pixels < 64 ? pixels : 64; }

void activate_grad(const swapae_activate_grad *given) {
    const swapae_activate_grad &op = *given;
    const int64_t C = op.channels, slices = activate_grad_slices(op.pixels);
    if (op.grad_bias) memset(op.workspace, 0, slices * C * sizeof(float));
    parallel(op.threads, [&](int thread, int threads) {
        const vec above = splat(op.gain), below = splat(op.gain * op.slope);
        for (Share share(slices, thread, threads); share.begin < share.end; ++share.begin) {
            float *sums = op.workspace + share.begin * C;
            for (Share pixel(op.pixels, share.begin, slices); pixel.begin < pixel.end; ++pixel.begin) {
                const int64_t at = pixel.begin * C;
                for (int64_t c = 0; c < C; c += VL) {
                    const int64_t count = C - c;
                    vec g = load(op.grad_y + at + c, count);
                    if (op.shift) g += load(op.shift + c, count);
                    g *= load(op.y + at + c, count) > 0.0f ? above : below;
                    store(op.grad_x + at + c, g, count);
                    if (op.grad_bias) store(sums + c, load(sums + c, count) + g, count);
                }
            }
        }
    });
    if (!op.grad_bias) return;
    for (int64_t c = 0; c < C; ++c) {
        float sum = 0;
        for (int64_t slice = 0; slice < slices; ++slice) sum += op.workspace[slice * C + c];
        op.grad_bias[c] = sum;
    }
}

}  // namespace ISA
