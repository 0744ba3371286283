// Bias, leaky ReLU and gain, and their derivative, each in one pass over memory.

#include "kernels.h"
#include "parallel.h"
#include "simd.h"

namespace ISA {

void activate(const swapae_activate *given) {
    const swapae_activate &op = *given;
    const long C = op.channels;
    parallel(op.threads, [&](int thread, int threads) {
        for (Share share(op.pixels, thread, threads); share.begin < share.end; ++share.begin) {
            const float *x = op.x + share.begin * C;
            float *y = op.y + share.begin * C;
            for (long c = 0; c < C; c += VL) {
                vec v = load(x + c, C - c);
                if (op.bias) v += load(op.bias + c, C - c);
                store(y + c, leaky(v, op.slope) * op.gain, C - c);
            }
        }
    });
}

void activate_grad(const swapae_activate_grad *given) {
    const swapae_activate_grad &op = *given;
    const long C = op.channels;
    if (op.grad_bias) memset(op.workspace, 0, op.threads * C * sizeof(float));
    parallel(op.threads, [&](int thread, int threads) {
        const vec above = splat(op.gain), below = splat(op.gain * op.slope);
        float *sums = op.workspace + thread * C;
        for (Share share(op.pixels, thread, threads); share.begin < share.end; ++share.begin) {
            const long at = share.begin * C;
            for (long c = 0; c < C; c += VL) {
                const long count = C - c;
                vec g = load(op.grad_y + at + c, count);
                if (op.shift) g += load(op.shift + c, count);
                g *= load(op.y + at + c, count) > 0.0f ? above : below;
                store(op.grad_x + at + c, g, count);
                if (op.grad_bias) store(sums + c, load(sums + c, count) + g, count);
            }
        }
    });
    if (!op.grad_bias) return;
    for (long c = 0; c < C; ++c) {
        float sum = 0;
        for (int thread = 0; thread < op.threads; ++thread) sum += op.workspace[thread * C + c];
        op.grad_bias[c] = sum;
    }
}

}  // namespace ISA
