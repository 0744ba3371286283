// Rows, then columns, each by a sparse matrix: blurs, halvings, doublings, paddings, and the adjoints of all.

#include "kernels.h"
#include "parallel.h"
#include "simd.h"

namespace ISA {

// Σ weightᵢ · lineᵢ, [count] floats each: one row of the vertical product.
static void combine(const float *const lines[], const float *weight, int num, float *out, long count) {
    for (long c = 0; c < count; c += VL) {
        vec sum = {};
        for (int i = 0; i < num; ++i) sum += weight[i] * load(lines[i] + c, count - c);
        store(out + c, sum, count - c);
    }
}

struct Epilogue {
    const swapae_resample &op;

    vec operator()(vec v, long channel, long count, float noise) const {
        if (op.bias) v += load(op.bias + channel, count);
        return leaky(v + noise, op.slope) * op.gain;
    }
};

template <int NUM>
static void combine_columns(const float *row, const int32_t *index, const float *weight, int num, float *out,
                            long channels, float noise, const Epilogue &epilogue) {
    const int entries = NUM ? NUM : num;
    for (long c = 0; c < channels; c += VL) {
        const long count = channels - c;
        vec sum = {};
        for (int i = 0; i < entries; ++i) sum += weight[i] * load(row + index[i] * channels + c, count);
        store(out + c, epilogue(sum, c, count, noise), count);
    }
}

void resample(const swapae_resample *given) {
    const swapae_resample &op = *given;
    const long C = op.channels, line = op.width * C;
    const long out_height = op.vertical.rows, out_width = op.horizontal.rows;
    const Epilogue epilogue{op};
    constexpr int MOST = 16;  // entries in a row of a matrix
    parallel(op.threads, [&](int thread, int threads) {
        float *row = op.workspace + thread * line;
        for (Share share(op.batch * out_height, thread, threads); share.begin < share.end; ++share.begin) {
            const long image = share.begin / out_height, i = share.begin % out_height;
            const int32_t first = op.vertical.begin[i], num = op.vertical.begin[i + 1] - first;
            const float *lines[MOST];
            for (int entry = 0; entry < num; ++entry)
                lines[entry] = op.x + (image * op.height + op.vertical.index[first + entry]) * line;
            combine(lines, op.vertical.weight + first, num, row, line);

            const long noise_image = op.noise_batch > 1 ? image : 0;
            for (long j = 0; j < out_width; ++j) {
                const int32_t start = op.horizontal.begin[j], n = op.horizontal.begin[j + 1] - start;
                const int32_t *index = op.horizontal.index + start;
                const float *weight = op.horizontal.weight + start;
                float noise = 0;
                if (op.noise)
                    noise = op.noise_weight * op.noise[(noise_image * out_height + i) * out_width + j];
                float *out = op.y + (share.begin * out_width + j) * C;
                if (n == 4) combine_columns<4>(row, index, weight, n, out, C, noise, epilogue);
                else if (n == 2) combine_columns<2>(row, index, weight, n, out, C, noise, epilogue);
                else combine_columns<0>(row, index, weight, n, out, C, noise, epilogue);
            }
        }
    });
}

}  // namespace ISA
